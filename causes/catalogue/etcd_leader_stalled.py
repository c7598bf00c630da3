"""The leader's process stood still (frozen, starved, paused) for longer than the election timeout."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leader-stalled",
    layer="infrastructure",
    title=Text("etcd leader's process stood still", "etcd 主节点进程停顿"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-2.0,
    needs=frozenset({"etcd-member-scrape-gap", "etcd-member-hangs", "etcd-old-leader-silent", "etcd-rtt-one-member"}),
    terms=(
        Term("etcd-member-scrape-gap", 2.8, Text("It answered nobody for a while, without a restart: the process stood still.", "一段时间内对所有人无应答且未重启：进程停顿。"),
             -1.8, Text("Every member went on answering the monitoring.", "所有成员都持续应答监控。")),
        Term("etcd-member-hangs", 2.4, Text("It accepts connections and does not answer.", "它接受连接但不应答。")),
        Term("etcd-old-leader-silent", 1.5, Text("It was the leader that fell silent.", "静默的正是主节点。"),
             -1.0, Text("The leader itself did not fall silent.", "主节点本身没有静默。")),
        Term("etcd-rtt-one-member", 1.0, Text("Slow only towards one member: that member, not the network.", "仅到一个成员变慢：问题在该成员而非网络。"),
             -0.4, Text("The delay is not at one member only.", "时延不集中于一个成员。")),
        Term("etcd-leader-switch", 0.6, Text("The others elected a new leader meanwhile.", "其他成员在此期间选出新主。"),
             -2.0, Text("No leader was replaced.", "没有换主。")),
        Term("etcd-fsync-one-slow", 0.5, Text("Writes to the log were not slow.", "日志写入并不慢。"),
             -1.2, Text("A slow disk explains the silence as well.", "磁盘过慢同样可以解释静默。"), Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-leader-switch", Text("The leader did not change, so it did not stand still for an election timeout.", "没有换主，因此主节点没有停顿超过选举超时。"), seen=False),
        Exclusion("etcd-member-restarted", Text("The silent member restarted; it was not frozen.", "静默的成员是重启而非冻结。"), also=(("etcd-member-scrape-gap", False),)),
    ),
    next_steps=(
        Text("On the old leader's host: ps -o pid,stat,wchan,cmd -C etcd (T = stopped, D = waits for the kernel); journalctl -k --since -30min",
             "在旧主节点主机上：ps -o pid,stat,wchan,cmd -C etcd（T=已停止，D=等待内核）；journalctl -k --since -30min"),
        Text("rate(container_cpu_cfs_throttled_periods_total{pod=~\"etcd.*\"}[5m]) / rate(container_cpu_cfs_periods_total{pod=~\"etcd.*\"}[5m])",
             "rate(container_cpu_cfs_throttled_periods_total{pod=~\"etcd.*\"}[5m]) / rate(container_cpu_cfs_periods_total{pod=~\"etcd.*\"}[5m])"),
        Text("For a virtual machine look at steal time and at snapshots or live migration: sar -u 5 3", "若为虚拟机，检查 steal 时间以及快照或热迁移：sar -u 5 3"),
    ),
    references=("https://etcd.io/docs/v3.5/faq/#what-does-the-etcd-warning-failed-to-send-out-heartbeat-on-time-mean",),
    weights_from="Recorded fault (leader stopped for 12 s with SIGSTOP): scrape gap without a restart, delay towards that member only.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
