"""One etcd member's disk is too slow for its write-ahead log."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-slow-disk",
    layer="infrastructure",
    title=Text("Slow disk under an etcd member", "etcd 成员磁盘过慢"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    prior=-1.5,
    terms=(
        Term("etcd-fsync-one-slow", 3.0, Text("One slow log among healthy ones points at that member's disk.", "仅一个成员写日志缓慢，指向该成员的磁盘。"),
             -1.8, Text("No member's log stands out, as a slow disk would.", "没有成员的写日志延迟突出，不像磁盘过慢。")),
        Term("etcd-commit-one-slow", 1.2, Text("Backend commits of one member are slow as well.", "该成员后端提交同样缓慢。"),
             -0.5, Text("Backend commits are even across members.", "各成员后端提交延迟相近。")),
        Term("etcd-fsync-over-guidance", 2.0, Text("Guidance for the log is 10 ms at P99.", "日志写入建议 P99 低于 10 ms。"),
             -0.8, Text("Within the guidance of 10 ms at P99.", "处于 P99 10 ms 的建议值内。")),
        Term("etcd-slow-applies", 0.5, Text("Applies wait for the disk.", "应用日志在等待磁盘。")),
        Term("etcd-heartbeat-failures", 0.5, Text("A leader that waits for its disk sends heartbeats late.", "等待磁盘的主节点会迟发心跳。")),
        Term("etcd-rtt-rise", 0.5, Text("Round trips stayed even while writes were slow.", "写入缓慢期间往返时延平稳。"),
             -0.4, Text("A slow disk alone need not raise round trips.", "仅磁盘慢不一定抬高往返时延。"), Condition.NOT_SEEN),
        Term("apiserver-etcd-slow", 0.5, Text("The API server waits for etcd.", "API 服务器在等待 etcd。")),
        Term("etcd-endpoint-slow", 0.4, Text("Even a read that needs agreement is slow.", "需要一致性的读取同样缓慢。")),
    ),
    exclusions=(
        Exclusion("etcd-fsync-over-guidance", Text("Writes to the log stayed within the guidance on every member.", "所有成员的日志写入都在建议值内。"),
                  seen=False, also=(("etcd-fsync-one-slow", False),)),
    ),
    next_steps=(
        Text("histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))",
             "histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])))"),
        Text("On the member's host: iostat -x 5 3", "在该成员主机上执行：iostat -x 5 3"),
        Text("Look for other writers there: pidstat -d 5 3", "在该主机上查找其他写入者：pidstat -d 5 3"),
        Text("Move etcd's data to its own SSD, or move the leader away first: etcdctl move-leader <member-id>",
             "将 etcd 数据迁至独立 SSD；可先移走主节点：etcdctl move-leader <member-id>"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/hardware/#disks", "https://etcd.io/docs/v3.5/faq/"),
    weights_from="Recorded fault (fdatasync of the leader delayed by 300 to 1500 ms): median of one member far above its peers. Guidance of 10 ms and 25 ms from the etcd FAQ.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
