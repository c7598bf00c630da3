"""The leader's role was handed over on purpose."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-leadership-moved",
    layer="infrastructure",
    title=Text("Leadership was moved on purpose", "主节点被主动迁移"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-4.2,
    terms=(
        Term("etcd-leader-switch", 1.0, Text("The leader really changed.", "确实换主。"),
             -3.0, Text("The leader did not change.", "没有换主。")),
        Term("etcd-no-leader-seen", 1.2, Text("A hand-over leaves no time without a leader.", "主动移交不会出现无主时段。"),
             -2.0, Text("A hand-over would not leave the cluster without a leader.", "主动移交不会使集群无主。"), condition=Condition.NOT_SEEN),
        Term("etcd-rtt-rise", 0.8, Text("Round trips stayed flat.", "往返时延平稳。"),
             -1.2, Text("Round trips rose, so something else was going on.", "往返时延上升，说明另有问题。"), condition=Condition.NOT_SEEN),
        Term("etcd-member-restarted", 0.6, Text("Nobody restarted.", "没有成员重启。"),
             -3.0, Text("A restart explains the switch: a leader that is ended in order hands over first.", "重启可以解释换主：正常停止的主节点会先移交。"), condition=Condition.NOT_SEEN),
        Term("etcd-member-scrape-gap", 0.6, Text("Every member answered throughout.", "各成员全程应答。"),
             -2.0, Text("A member fell silent.", "有成员静默。"), condition=Condition.NOT_SEEN),
        Term("etcd-old-leader-silent", 0.6, Text("The old leader went on answering.", "旧主节点持续应答。"),
             -1.5, Text("The old leader fell silent.", "旧主节点静默。"), condition=Condition.NOT_SEEN, group="etcd silence"),
        Term("etcd-fsync-one-slow", 2.8, Text("No disk stands out.", "没有磁盘异常。"),
             -1.5, Text("A slow disk explains the switch.", "磁盘过慢可以解释换主。"), condition=Condition.NOT_SEEN),
        Term("etcd-heartbeat-failures", 0.3, Text("No heartbeat was late.", "心跳没有迟发。"),
             -0.5, Text("Heartbeats were late.", "心跳迟发。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-leader-switch", Text("The leader did not change.", "没有换主。"), seen=False),
        Exclusion("etcd-rtt-rise", Text("Round trips rose between zones, a hand-over does not do that.", "跨区往返时延上升，主动移交不会如此。"), also=(("etcd-rtt-cross-zone", True),)),
        Exclusion("etcd-fsync-one-slow", Text("A leader that waits for its disk and sends heartbeats late loses its role without anybody's doing.", "主节点等待磁盘并迟发心跳，会自行失去主节点身份。"), also=(("etcd-heartbeat-failures", True),)),
    ),
    next_steps=(
        Text("Ask who ran it: journalctl -u etcd | grep -i 'leadership transfer'", "确认操作者：journalctl -u etcd | grep -i 'leadership transfer'"),
        Text("etcdctl endpoint status --cluster -w table", "etcdctl endpoint status --cluster -w table"),
        Text("If it was planned, nothing is to be done.", "若为计划内操作则无需处理。"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/maintenance/", "https://pkg.go.dev/go.etcd.io/etcd/etcdctl/v3",),
    weights_from="Recorded operation (etcdctl move-leader): switch without a leaderless moment, flat round trips, no restart. A slow disk looks the same while nobody looks at the disks, so the answer about the disks carries the weight and the prior is low.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
