"""Somebody works on it as planned."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-planned-work",
    layer="no-fault",
    title=Text("Planned work, no fault", "计划内维护，非故障"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE, Symptom.NODE, Symptom.API_SERVER}),
    prior=-1.8,
    needs=frozenset({"planned-work"}),
    terms=(
        Term("planned-work", 3.2, Text("The work was announced for this time and this thing.", "该时段和对象已公告维护。"),
             -2.5, Text("No work was announced.", "没有公告维护。")),
        Term("pod-being-deleted", 0.3, Text("Pods were being moved away.", "Pod 正在迁移。")),
        Term("etcd-leader-switch", 0.2, Text("A leader that moves belongs to such work.", "换主属于此类维护。")),
        Term("pod-crashed", 0.2, Text("Nothing crashed.", "没有崩溃。"),
             -2.0, Text("Something crashed, which nobody plans.", "发生崩溃，这不会是计划内的。"), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.1, Text("Nothing ran out of memory.", "没有耗尽内存。"),
             -1.5, Text("Something ran out of memory, which nobody plans.", "发生内存耗尽，这不会是计划内的。"), condition=Condition.NOT_SEEN),
        Term("etcd-quorum-lost", 0.1, Text("The quorum was kept.", "多数派得以保持。"),
             -2.5, Text("The quorum was lost, which nobody plans.", "失去多数派，这不会是计划内的。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("planned-work", Text("No planned work was announced for this time.", "该时段没有公告计划内维护。"), seen=False),
    ),
    next_steps=(
        Text("Ask whoever announced the work whether it is over, and close the incident with it.", "向公告人确认维护是否结束，并随之关闭事件。"),
        Text("Put a silence or a maintenance window over the next one.", "下次为维护设置静默或维护窗口。"),
    ),
    references=("https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/",),
    weights_from="Judgement: an announcement that fits in time and place is strong; what nobody plans (crash, out of memory, lost quorum) speaks against it.",
    about=EntityKind.CLUSTER,
    no_fault=True,
)  # fmt: skip
