"""One etcd member's disk is too slow for its write-ahead log."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-slow-disk",
    layer="infrastructure",
    title=Text("Slow disk under an etcd member"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    prior=-1.5,
    terms=(
        Term("etcd-fsync-one-slow", 3.0, Text("One slow log among healthy ones points at that member's disk."),
             -1.8, Text("No member's log stands out, as a slow disk would.")),
        Term("etcd-commit-one-slow", 1.2, Text("Backend commits of one member are slow as well."),
             -0.5, Text("Backend commits are even across members.")),
        Term("etcd-fsync-over-guidance", 2.0, Text("Guidance for the log is 10 ms at P99."),
             -0.8, Text("Within the guidance of 10 ms at P99.")),
        Term("etcd-slow-applies", 0.5, Text("Applies wait for the disk.")),
        Term("etcd-heartbeat-failures", 0.5, Text("A leader that waits for its disk sends heartbeats late.")),
        Term("etcd-rtt-rise", 0.5, Text("Round trips stayed even while writes were slow."),
             -0.4, Text("A slow disk alone need not raise round trips."), Condition.NOT_SEEN),
        Term("apiserver-etcd-slow", 0.5, Text("The API server waits for etcd.")),
        Term("etcd-endpoint-slow", 0.4, Text("Even a read that needs agreement is slow.")),
    ),
    exclusions=(
        Exclusion("etcd-fsync-over-guidance", Text("Writes to the log stayed within the guidance on every member."),
                  seen=False, also=(("etcd-fsync-one-slow", False),)),
    ),
    next_steps=(
        Text("histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))"),
        Text("On the member's host: iostat -x 5 3"),
        Text("Look for other writers there: pidstat -d 5 3"),
        Text("Move etcd's data to its own SSD, or move the leader away first: etcdctl move-leader <member-id>"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/hardware/#disks", "https://etcd.io/docs/v3.5/faq/"),
    weights_from="Recorded fault (fdatasync of the leader delayed by 300 to 1500 ms): median of one member far above its peers. Guidance of 10 ms and 25 ms from the etcd FAQ.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
