"""The leader's process stood still (frozen, starved, paused) for longer than the election timeout."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leader-stalled",
    layer="infrastructure",
    title=Text("etcd leader's process stood still"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.0,
    weights_from=(
        "Recorded fault (leader stopped for 12 s with SIGSTOP): scrape gap without a restart, delay towards that "
        "member only."
    ),
    needs=frozenset(
        {
            "etcd-member-scrape-gap",
            "etcd-member-hangs",
            "etcd-old-leader-silent",
            "etcd-rtt-one-member",
            "etcd-rtt-towards-one",
        }
    ),
    terms=(
        Term("etcd-member-scrape-gap", supports=2.8, opposes=-1.0),
        Term("etcd-member-hangs", supports=2.4),
        Term("etcd-old-leader-silent", supports=1.5, opposes=-0.6, group="etcd silence"),
        Term("etcd-rtt-towards-one", supports=2.8, opposes=-0.4),
        Term("etcd-rtt-one-member", supports=1.0, opposes=-0.4),
        Term("etcd-late-member-led", supports=0.8, opposes=-2.0, group="led"),
        Term("etcd-switches-repeated", supports=0.4),
        Term("etcd-leader-switch", supports=0.6, opposes=-2.0),
        Term("etcd-fsync-one-slow", supports=0.5, opposes=-1.2, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-member-scrape-gap": Sentences(
            supports=Text("It answered nobody for a while, without a restart: the process stood still."),
            opposes=Text("Every scrape was answered: it stood still between scrapes, or not at all."),
        ),
        "etcd-member-hangs": Sentences(supports=Text("It accepts connections and does not answer.")),
        "etcd-old-leader-silent": Sentences(
            supports=Text("It was the leader that fell silent."),
            opposes=Text("The leader itself did not fall silent."),
        ),
        "etcd-rtt-towards-one": Sentences(
            supports=Text("A process that stands still now and then answers late, and hears the others in time."),
            opposes=Text("It did not answer its peers late."),
        ),
        "etcd-rtt-one-member": Sentences(
            supports=Text("Slow only towards one member: that member, not the network."),
            opposes=Text("The delay is not at one member only."),
        ),
        "etcd-late-member-led": Sentences(
            supports=Text("It was the leader that answered late."),
            opposes=Text("The leader itself answered in time."),
        ),
        "etcd-switches-repeated": Sentences(
            supports=Text("One that stands still again and again is replaced each time.")
        ),
        "etcd-leader-switch": Sentences(
            supports=Text("The others elected a new leader meanwhile."),
            opposes=Text("No leader was replaced."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("Writes to the log were not slow."),
            opposes=Text("A slow disk explains the silence as well."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-leader-switch": False},
            sentence=Text("The leader did not change, so it did not stand still for an election timeout."),
        ),
        Exclusion(
            when={"etcd-member-restarted": True, "etcd-member-scrape-gap": False},
            sentence=Text("The silent member restarted; it was not frozen."),
        ),
    ),
    next_steps=(
        Text(
            "On the old leader's host: ps -o pid,stat,wchan,cmd -C etcd (T = stopped, D = waits for the kernel); "
            "journalctl -k --since -30min"
        ),
        Text(
            'rate(container_cpu_cfs_throttled_periods_total{pod=~"etcd.*"}[5m]) / '
            'rate(container_cpu_cfs_periods_total{pod=~"etcd.*"}[5m])'
        ),
        Text("For a virtual machine look at steal time and at snapshots or live migration: sar -u 5 3"),
    ),
    references=("https://etcd.io/docs/v3.5/faq/#what-does-the-etcd-warning-failed-to-send-out-heartbeat-on-time-mean",),
)
