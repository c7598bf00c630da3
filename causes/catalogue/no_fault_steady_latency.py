"""Round trips between etcd members are long, as they always are there; nothing changed."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-steady-latency",
    layer="no-fault",
    title=Text("Long but steady round trips, no fault"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_CLUSTER,
    no_fault=True,
    prior=-2.0,
    weights_from="Recorded without any fault: 340 ms round trips all the time, and the leader stayed.",
    terms=(
        Term("etcd-rtt-steady-high", supports=2.6, opposes=-1.0),
        Term("etcd-rtt-over-limit", supports=1.0, group="limit"),
        Term("etcd-leader-switch", supports=1.0, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", supports=0.6, opposes=-2.5, when=Condition.NOT_SEEN, group="rise"),
        Term("etcd-fsync-one-slow", supports=0.3, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-member-restarted", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-member-unhealthy", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-rtt-steady-high": Sentences(
            supports=Text("They are at their own usual level."),
            opposes=Text("They are not long on an ordinary day."),
        ),
        "etcd-rtt-over-limit": Sentences(supports=Text("The fixed limit of the alert lies below what is usual there.")),
        "etcd-leader-switch": Sentences(
            supports=Text("The leader stayed."),
            opposes=Text("The leader changed."),
        ),
        "etcd-rtt-rise": Sentences(
            supports=Text("No pair rose over its own level."),
            opposes=Text("Round trips rose."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("A disk is slow."),
        ),
        "etcd-member-restarted": Sentences(
            supports=Text("Nobody restarted."),
            opposes=Text("A member restarted."),
        ),
        "etcd-member-unhealthy": Sentences(
            supports=Text("Every member is healthy."),
            opposes=Text("A member is not healthy."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-rtt-rise": True},
            sentence=Text("Round trips rose over their own level."),
        ),
        Exclusion(
            when={"etcd-leader-switch": True},
            sentence=Text("The leader changed, which a steady delay does not do."),
        ),
    ),
    next_steps=(
        Text(
            "Set heartbeat-interval to about the round trip and election-timeout to at least ten times of it, the same "
            "on all members."
        ),
        Text("Make the alert's limit relative to the election timeout instead of a fixed 150 ms."),
        Text(
            "sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[1h])) / sum by (instance, To) "
            "(rate(etcd_network_peer_round_trip_time_seconds_count[1h]))"
        ),
    ),
    references=("https://etcd.io/docs/v3.5/tuning/#time-parameters",),
)
