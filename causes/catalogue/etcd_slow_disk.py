"""One etcd member's disk is too slow for its write-ahead log."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-slow-disk",
    layer="infrastructure",
    title=Text("Slow disk under an etcd member"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_MEMBER,
    prior=-1.5,
    weights_from=(
        "Recorded fault (fdatasync of the leader delayed by 300 to 1500 ms): median of one member far above its peers. "
        "Guidance of 10 ms and 25 ms from the etcd FAQ."
    ),
    terms=(
        Term("etcd-fsync-one-slow", supports=3.0, opposes=-1.8),
        Term("etcd-commit-one-slow", supports=1.2, opposes=-0.5),
        Term("etcd-fsync-over-guidance", supports=2.0, opposes=-0.8),
        Term("etcd-slow-applies", supports=0.5),
        Term("etcd-heartbeat-failures", supports=0.5),
        Term("etcd-rtt-rise", supports=0.5, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("apiserver-etcd-slow", supports=0.5),
        Term("etcd-endpoint-slow", supports=0.4),
    ),
    sentences={
        "etcd-fsync-one-slow": Sentences(
            supports=Text("One slow log among healthy ones points at that member's disk."),
            opposes=Text("No member's log stands out, as a slow disk would."),
        ),
        "etcd-commit-one-slow": Sentences(
            supports=Text("Backend commits of one member are slow as well."),
            opposes=Text("Backend commits are even across members."),
        ),
        "etcd-fsync-over-guidance": Sentences(
            supports=Text("Guidance for the log is 10 ms at P99."),
            opposes=Text("Within the guidance of 10 ms at P99."),
        ),
        "etcd-slow-applies": Sentences(supports=Text("Applies wait for the disk.")),
        "etcd-heartbeat-failures": Sentences(supports=Text("A leader that waits for its disk sends heartbeats late.")),
        "etcd-rtt-rise": Sentences(
            supports=Text("Round trips stayed even while writes were slow."),
            opposes=Text("A slow disk alone need not raise round trips."),
        ),
        "apiserver-etcd-slow": Sentences(supports=Text("The API server waits for etcd.")),
        "etcd-endpoint-slow": Sentences(supports=Text("Even a read that needs agreement is slow.")),
    },
    exclusions=(
        Exclusion(
            when={"etcd-fsync-over-guidance": False, "etcd-fsync-one-slow": False},
            sentence=Text("Writes to the log stayed within the guidance on every member."),
        ),
    ),
    next_steps=(
        Text("histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))"),
        Text("On the member's host: iostat -x 5 3"),
        Text("Look for other writers there: pidstat -d 5 3"),
        Text("Move etcd's data to its own SSD, or move the leader away first: etcdctl move-leader <member-id>"),
    ),
    references=(
        "https://etcd.io/docs/v3.5/op-guide/hardware/#disks",
        "https://etcd.io/docs/v3.5/faq/",
    ),
)
