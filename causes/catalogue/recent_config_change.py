"""A configuration change came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-config-change",
    layer="change",
    title=Text("A recent configuration change", "近期配置变更"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"change-before", "change-guilty"}),
    terms=(
        Term("change-before", 1.4, Text("It was changed shortly before the symptoms.", "症状前不久发生了变更。"),
             -2.5, Text("Nothing that concerns it was changed before the symptoms.", "症状前没有相关变更。")),
        Term("load-surge", 0.3, Text("The load was as usual.", "负载正常。"),
             -0.5, Text("The load rose as well.", "负载同时上升。"), condition=Condition.NOT_SEEN),
        Term("probe-status-unavailable", 1.0, Text("The application says that it cannot serve any more.", "应用自报无法继续服务。")),
        Term("event-status-unavailable", 1.0, Text("The kubelet was told that it cannot serve any more.", "kubelet 收到无法服务的应答。")),
        Term("change-guilty", 3.2, Text("The symptoms start after the change, and only on what was changed.", "症状在变更之后出现，且仅限被变更的对象。"),
             -1.5, Text("Things that were not changed suffer as well, or suffered before.", "未变更的对象同样受影响，或症状早于变更。")),
    ),
    exclusions=(
        Exclusion("change-before", Text("No change came before the symptoms.", "症状前没有变更。"), seen=False, also=(("change-guilty", False),)),
    ),
    next_steps=(
        Text("Compare the two versions, and revert if the symptoms began with the change.", "比较两个版本；若症状随变更出现则回退。"),
        Text("git log --since='2 hours ago' -p -- <config path>", "git log --since='2 hours ago' -p -- <config path>"),
        Text("kubectl -n <ns> rollout history deployment/<name>", "kubectl -n <ns> rollout history deployment/<name>"),
    ),
    references=("https://sre.google/sre-book/effective-troubleshooting/",),
    weights_from="Judgement: order in time alone is weak (1.4 nats, as settings change more rarely than versions); symptoms that start after the change and only on what was changed are strong.",
    about=EntityKind.WORKLOAD,
    change_kinds=frozenset({"config", "configuration", "commit", "configmap", "setting"}),
)  # fmt: skip
