"""The start takes longer than the probes allow, so it is killed before it ever ran."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="startup-budget-too-short",
    layer="start",
    title=Text("Startup budget too short", "启动时间预算不足"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"kubelet-startup-failing", "event-startup-kill", "pod-constant-age-restarts"}),
    terms=(
        Term("pod-constant-age-restarts", 2.6, Text("Restarts at a constant age: the budget ran out each time.", "总在同一时长后重启：每次都用尽预算。"),
             -1.2, Text("Restarts do not come at a constant age.", "重启时长不固定。")),
        Term("kubelet-startup-failing", 1.8, Text("The startup probe failed.", "启动探针失败。"),
             -0.8, Text("The startup probe did not fail.", "启动探针没有失败。")),
        Term("pod-not-started", 1.4, Text("The container was never ready since its creation.", "容器创建后从未就绪。"),
             -1.2, Text("The container had been ready.", "容器曾经就绪。")),
        Term("kubelet-liveness-failing", 0.5, Text("Liveness kills what is still starting.", "存活探针杀死仍在启动的容器。")),
        Term("pod-crashed", 0.3, Text("It did not crash by itself.", "并非自身崩溃。"),
             -0.6, Text("It crashed by itself.", "自身崩溃。"), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.2, Text("It was not killed for memory.", "并非因内存被杀。"),
             -2.0, Text("It was killed for memory.", "因内存被杀。"), condition=Condition.NOT_SEEN),
        Term("event-startup-kill", 2.0, Text("The kubelet ended it because of the startup probe.", "kubelet 因启动探针失败而终止容器。")),
        Term("spec-startup-budget-short", 2.0, Text("The budget in the spec is below the measured start.", "规格中的预算低于实测启动时间。"),
             -0.8, Text("The budget in the spec is above the measured start.", "规格中的预算高于实测启动时间。")),
        Term("spec-no-startup-probe", 0.2, Text("There is a startup probe.", "配置了启动探针。"),
             -0.8, Text("There is no startup probe whose budget could be short.", "没有启动探针，谈不上预算不足。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("pod-restarted", Text("Nothing was restarted.", "没有重启。"), seen=False, also=(("kubelet-startup-failing", False),)),
    ),
    next_steps=(
        Text("Budget = initialDelaySeconds + failureThreshold x periodSeconds; set it above the measured start P99 with margin.", "预算 = initialDelaySeconds + failureThreshold × periodSeconds；应高于实测启动 P99 并留有余量。"),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 startupProbe", "kubectl -n <ns> get pod <pod> -o yaml | grep -A8 startupProbe"),
        Text("kubectl -n <ns> get events --field-selector reason=Killing", "kubectl -n <ns> get events --field-selector reason=Killing"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Kubelet source: a startup probe that fails failureThreshold times ends the container. Weights are judgement.",
)  # fmt: skip
