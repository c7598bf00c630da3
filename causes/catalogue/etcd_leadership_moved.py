"""The leader's role was handed over on purpose."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leadership-moved",
    layer="infrastructure",
    title=Text("Leadership was moved on purpose"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-4.2,
    terms=(
        Term("etcd-leader-switch", 1.0, Text("The leader really changed."),
             -3.0, Text("The leader did not change.")),
        Term("etcd-no-leader-seen", 1.2, Text("A hand-over leaves no time without a leader."),
             -2.0, Text("A hand-over would not leave the cluster without a leader."), condition=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", 0.8, Text("Round trips stayed flat."),
             -1.2, Text("Round trips rose, so something else was going on."), condition=Condition.NOT_SEEN),
        Term("etcd-member-restarted", 0.6, Text("Nobody restarted."),
             -3.0, Text("A restart explains the switch: a leader that is ended in order hands over first."), condition=Condition.NOT_SEEN),
        Term("etcd-member-scrape-gap", 0.6, Text("Every member answered throughout."),
             -2.0, Text("A member fell silent."), condition=Condition.NOT_SEEN),
        Term("etcd-old-leader-silent", 0.6, Text("The old leader went on answering."),
             -1.5, Text("The old leader fell silent."), condition=Condition.NOT_SEEN, group="etcd silence"),
        Term("etcd-fsync-one-slow", 2.8, Text("No disk stands out."),
             -1.5, Text("A slow disk explains the switch."), condition=Condition.NOT_SEEN),
        Term("etcd-heartbeat-failures", 0.3, Text("No heartbeat was late."),
             -0.5, Text("Heartbeats were late."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-leader-switch", Text("The leader did not change."), seen=False),
        Exclusion("etcd-rtt-rise", Text("Round trips rose between zones, a hand-over does not do that."), also=(("etcd-rtt-cross-zone", True),)),
        Exclusion("etcd-fsync-one-slow", Text("A leader that waits for its disk and sends heartbeats late loses its role without anybody's doing."), also=(("etcd-heartbeat-failures", True),)),
    ),
    next_steps=(
        Text("Ask who ran it: journalctl -u etcd | grep -i 'leadership transfer'"),
        Text("etcdctl endpoint status --cluster -w table"),
        Text("If it was planned, nothing is to be done."),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/", "https://pkg.go.dev/go.etcd.io/etcd/etcdctl/v3",),
    weights_from="Recorded operation (etcdctl move-leader): switch without a leaderless moment, flat round trips, no restart. A slow disk looks the same while nobody looks at the disks, so the answer about the disks carries the weight and the prior is low.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
