"""An etcd member is gone and stays gone."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-down",
    layer="infrastructure",
    title=Text("etcd member is down", "etcd 成员宕机"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-1.8,
    terms=(
        Term("etcd-member-down", 3.2, Text("{subject} does not come back.", "{subject} 没有恢复。"),
             -2.5, Text("Every member is there.", "所有成员都在。")),
        Term("etcd-member-unhealthy", 1.0, Text("A member refuses or reports itself unhealthy.", "有成员拒绝连接或自报不健康。"),
             -0.8, Text("Every member answers healthy.", "所有成员应答健康。")),
        Term("etcd-peer-disconnected", 1.0, Text("Its peers lost the connection to it.", "其他成员与其断开连接。")),
        Term("etcd-quorum-lost", 0.1, Text("The others keep a majority.", "其余成员仍构成多数派。"),
             -2.5, Text("So many are gone that the majority is lost, which is worse than one member down.", "缺失成员过多，已失去多数派，比单个成员宕机更严重。"), condition=Condition.NOT_SEEN),
        Term("etcd-endpoint-unhealthy", 1.0, Text("etcdctl says so too.", "etcdctl 同样如此报告。")),
        Term("etcd-no-leader-seen", 0.1, Text("The others kept a leader.", "其余成员始终有主。"),
             -1.4, Text("The others lost their leader as well, which one member down does not cause for long.", "其余成员同样失去主节点，单个成员宕机不会长时间如此。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-member-down", Text("Every member is up at the end of the window.", "时段结束时所有成员都在运行。"), seen=False, also=(("etcd-member-unhealthy", False),)),
    ),
    next_steps=(
        Text("ETCDCTL_API=3 etcdctl --endpoints=<every member> endpoint health -w json", "ETCDCTL_API=3 etcdctl --endpoints=<全部成员> endpoint health -w json"),
        Text("On its host: systemctl status etcd; journalctl -u etcd --since -1h", "在其主机上：systemctl status etcd；journalctl -u etcd --since -1h"),
        Text("If its data is lost, replace it: etcdctl member remove <id>, then member add", "若数据丢失则替换：etcdctl member remove <id>，然后 member add"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/recovery/",),
    weights_from="Judgement on what a missing scrape target and a refused health request prove.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
