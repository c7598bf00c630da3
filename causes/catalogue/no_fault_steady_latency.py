"""Round trips between etcd members are long, as they always are there; nothing changed."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-steady-latency",
    layer="no-fault",
    title=Text("Long but steady round trips, no fault"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-2.0,
    terms=(
        Term("etcd-rtt-steady-high", 2.6, Text("They are at their own usual level."),
             -1.0, Text("They are not long on an ordinary day.")),
        Term("etcd-rtt-over-limit", 1.0, Text("The fixed limit of the alert lies below what is usual there."), group="limit"),
        Term("etcd-leader-switch", 1.0, Text("The leader stayed."),
             -3.0, Text("The leader changed."), condition=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", 0.6, Text("No pair rose over its own level."),
             -2.5, Text("Round trips rose."), condition=Condition.NOT_SEEN, group="rise"),
        Term("etcd-fsync-one-slow", 0.3, Text("No disk stands out."),
             -1.5, Text("A disk is slow."), condition=Condition.NOT_SEEN),
        Term("etcd-member-restarted", 0.2, Text("Nobody restarted."),
             -1.5, Text("A member restarted."), condition=Condition.NOT_SEEN),
        Term("etcd-member-unhealthy", 0.2, Text("Every member is healthy."),
             -2.0, Text("A member is not healthy."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-rtt-rise", Text("Round trips rose over their own level.")),
        Exclusion("etcd-leader-switch", Text("The leader changed, which a steady delay does not do.")),
    ),
    next_steps=(
        Text("Set heartbeat-interval to about the round trip and election-timeout to at least ten times of it, the same on all members."),
        Text("Make the alert's limit relative to the election timeout instead of a fixed 150 ms."),
        Text("sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_sum[1h])) / sum by (instance, To) (rate(etcd_network_peer_round_trip_time_seconds_count[1h]))"),
    ),
    references=("https://etcd.io/docs/v3.5/tuning/#time-parameters",),
    weights_from="Recorded without any fault: 340 ms round trips all the time, and the leader stayed.",
    about=EntityKind.ETCD_CLUSTER,
    no_fault=True,
)  # fmt: skip
