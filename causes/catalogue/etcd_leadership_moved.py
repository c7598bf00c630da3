"""The leader's role was handed over on purpose."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leadership-moved",
    layer="infrastructure",
    title=Text("Leadership was moved on purpose"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-4.2,
    weights_from=(
        "Recorded operation (etcdctl move-leader): switch without a leaderless moment, flat round trips, no restart. A "
        "slow disk looks the same while nobody looks at the disks, so the answer about the disks carries the weight "
        "and the prior is low."
    ),
    terms=(
        Term("etcd-leader-switch", supports=1.0, opposes=-3.0),
        Term("etcd-no-leader-seen", supports=1.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", supports=0.8, opposes=-1.2, when=Condition.NOT_SEEN),
        Term("etcd-rtt-towards-one", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-member-restarted", supports=0.6, opposes=-3.0, when=Condition.NOT_SEEN),
        Term("etcd-member-scrape-gap", supports=0.6, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-old-leader-silent", supports=0.6, opposes=-1.5, when=Condition.NOT_SEEN, group="etcd silence"),
        Term("etcd-fsync-one-slow", supports=2.8, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-switches-repeated", supports=0.1, opposes=-4.0, when=Condition.NOT_SEEN),
        Term("etcd-quorum-was-lost", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-heartbeat-failures", supports=0.3, opposes=-0.5, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-leader-switch": Sentences(
            supports=Text("The leader really changed."),
            opposes=Text("The leader did not change."),
        ),
        "etcd-no-leader-seen": Sentences(
            supports=Text("A hand-over leaves no time without a leader."),
            opposes=Text("A hand-over would not leave the cluster without a leader."),
        ),
        "etcd-rtt-rise": Sentences(
            supports=Text("Round trips stayed flat."),
            opposes=Text("Round trips rose, so something else was going on."),
        ),
        "etcd-rtt-towards-one": Sentences(
            supports=Text("Nobody answered its peers late."),
            opposes=Text("The old leader answered its peers late."),
        ),
        "etcd-member-restarted": Sentences(
            supports=Text("Nobody restarted."),
            opposes=Text("A restart explains the switch: a leader that is ended in order hands over first."),
        ),
        "etcd-member-scrape-gap": Sentences(
            supports=Text("Every member answered throughout."),
            opposes=Text("A member fell silent."),
        ),
        "etcd-old-leader-silent": Sentences(
            supports=Text("The old leader went on answering."),
            opposes=Text("The old leader fell silent."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("A slow disk explains the switch."),
        ),
        "etcd-switches-repeated": Sentences(
            supports=Text("The role moved once."),
            opposes=Text("Nobody hands the role over several times in a row; these are elections that were lost."),
        ),
        "etcd-quorum-was-lost": Sentences(
            supports=Text("There was a majority all the time."),
            opposes=Text("The majority was lost, which no hand-over does."),
        ),
        "etcd-heartbeat-failures": Sentences(
            supports=Text("No heartbeat was late."),
            opposes=Text("Heartbeats were late."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-leader-switch": False},
            sentence=Text("The leader did not change."),
        ),
        Exclusion(
            when={"etcd-rtt-rise": True, "etcd-rtt-cross-zone": True},
            sentence=Text("Round trips rose between zones, a hand-over does not do that."),
        ),
        Exclusion(
            when={"etcd-fsync-one-slow": True, "etcd-heartbeat-failures": True},
            sentence=Text(
                "A leader that waits for its disk and sends heartbeats late loses its role without anybody's doing."
            ),
        ),
    ),
    next_steps=(
        Text("Ask who ran it: journalctl -u etcd | grep -i 'leadership transfer'"),
        Text("etcdctl endpoint status --cluster -w table"),
        Text("If it was planned, nothing is to be done."),
    ),
    references=(
        "https://etcd.io/docs/v3.5/op-guide/maintenance/",
        "https://pkg.go.dev/go.etcd.io/etcd/etcdctl/v3",
    ),
)
