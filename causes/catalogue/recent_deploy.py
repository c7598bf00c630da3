"""A deploy came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-deploy",
    layer="change",
    title=Text("A recent deploy", "近期发布"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"change-before", "change-guilty"}),
    terms=(
        Term("change-before", 1.0, Text("It was changed shortly before the symptoms.", "症状前不久发生了变更。"),
             -2.5, Text("Nothing that concerns it was changed before the symptoms.", "症状前没有相关变更。")),
        Term("rollout-in-progress", 0.6, Text("A rollout was going on.", "正在滚动发布。"),
             -0.2, Text("No rollout was going on any more.", "已没有滚动发布。")),
        Term("pod-crashed", 0.5, Text("The new version crashes.", "新版本崩溃。")),
        Term("change-guilty", 3.2, Text("The symptoms start after the change, and only on what was changed.", "症状在变更之后出现，且仅限被变更的对象。"),
             -1.5, Text("Things that were not changed suffer as well, or suffered before.", "未变更的对象同样受影响，或症状早于变更。")),
        Term("probe-status-error", 0.6, Text("The new version answers with an error.", "新版本返回错误。")),
        Term("event-status-code", 0.6, Text("The kubelet gets an error from the new version.", "kubelet 从新版本收到错误。")),
        Term("rollout-stuck", 1.0, Text("The rollout does not get on.", "发布停滞不前。")),
        Term("peers-same-workload-fail", 0.5, Text("Other pods of the same workload fail too.", "同一工作负载的其他 Pod 同样失败。")),
        Term("probe-transport-timeout", 0.1, Text("Connections are made.", "连接可以建立。"),
             -2.0, Text("Packets vanish on the way, which a new version does not make them do.", "报文在途中丢失，新版本不会导致这一点。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("change-before", Text("No deploy came before the symptoms.", "症状前没有发布。"), seen=False, also=(("change-guilty", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> rollout history deployment/<name>", "kubectl -n <ns> rollout history deployment/<name>"),
        Text("kubectl -n <ns> rollout undo deployment/<name>", "kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment",),
    weights_from="Judgement: order in time alone is weak (1 nat); symptoms that start after the change and only on what was changed are strong.",
    about=EntityKind.WORKLOAD,
    contributes_to=frozenset({"wrong-probe-target", "tls-trust-or-scheme", "redirect-loop", "probe-timeout-below-latency", "startup-budget-too-short", "liveness-before-start", "graceful-shutdown-noise", "no-listener-at-start"}),
    change_kinds=frozenset({"deploy", "deployment", "rollout", "release"}),
)  # fmt: skip
