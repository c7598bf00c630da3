"""The leader's process stood still (frozen, starved, paused) for longer than the election timeout."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leader-stalled",
    layer="infrastructure",
    title=Text("etcd leader's process stood still"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-2.0,
    needs=frozenset({"etcd-member-scrape-gap", "etcd-member-hangs", "etcd-old-leader-silent", "etcd-rtt-one-member"}),
    terms=(
        Term("etcd-member-scrape-gap", 2.8, Text("It answered nobody for a while, without a restart: the process stood still."),
             -1.8, Text("Every member went on answering the monitoring.")),
        Term("etcd-member-hangs", 2.4, Text("It accepts connections and does not answer.")),
        Term("etcd-old-leader-silent", 1.5, Text("It was the leader that fell silent."),
             -1.0, Text("The leader itself did not fall silent.")),
        Term("etcd-rtt-one-member", 1.0, Text("Slow only towards one member: that member, not the network."),
             -0.4, Text("The delay is not at one member only.")),
        Term("etcd-leader-switch", 0.6, Text("The others elected a new leader meanwhile."),
             -2.0, Text("No leader was replaced.")),
        Term("etcd-fsync-one-slow", 0.5, Text("Writes to the log were not slow."),
             -1.2, Text("A slow disk explains the silence as well."), Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-leader-switch", Text("The leader did not change, so it did not stand still for an election timeout."), seen=False),
        Exclusion("etcd-member-restarted", Text("The silent member restarted; it was not frozen."), also=(("etcd-member-scrape-gap", False),)),
    ),
    next_steps=(
        Text("On the old leader's host: ps -o pid,stat,wchan,cmd -C etcd (T = stopped, D = waits for the kernel); journalctl -k --since -30min"),
        Text('rate(container_cpu_cfs_throttled_periods_total{pod=~"etcd.*"}[5m]) / rate(container_cpu_cfs_periods_total{pod=~"etcd.*"}[5m])'),
        Text("For a virtual machine look at steal time and at snapshots or live migration: sar -u 5 3"),
    ),
    references=("https://etcd.io/docs/v3.5/faq/#what-does-the-etcd-warning-failed-to-send-out-heartbeat-on-time-mean",),
    weights_from="Recorded fault (leader stopped for 12 s with SIGSTOP): scrape gap without a restart, delay towards that member only.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
