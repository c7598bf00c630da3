"""A deploy came shortly before."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="recent-deploy",
    layer="change",
    title=Text("A recent deploy", "近期发布"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    terms=(
        Term("change-before", 2.6, Text("It was changed shortly before the symptoms.", "症状前不久发生了变更。"),
             -2.5, Text("Nothing that concerns it was changed before the symptoms.", "症状前没有相关变更。")),
        Term("rollout-in-progress", 1.0, Text("A rollout was going on.", "正在滚动发布。"),
             -0.2, Text("No rollout was going on any more.", "已没有滚动发布。")),
        Term("pod-crashed", 0.5, Text("The new version crashes.", "新版本崩溃。")),
    ),
    exclusions=(
        Exclusion("change-before", Text("No deploy came before the symptoms.", "症状前没有发布。"), seen=False, also=(("rollout-in-progress", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> rollout history deployment/<name>", "kubectl -n <ns> rollout history deployment/<name>"),
        Text("kubectl -n <ns> rollout undo deployment/<name>", "kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment",),
    change_kinds=frozenset({"deploy", "deployment", "rollout", "release"}),
)  # fmt: skip
