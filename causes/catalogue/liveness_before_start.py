"""Without a startup probe liveness begins while the process still starts, and kills it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="liveness-before-start",
    layer="start",
    title=Text("Liveness kills what is still starting", "存活探针杀死仍在启动的容器"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    terms=(
        Term("spec-no-startup-probe", 1.6, Text("There is no startup probe that would hold liveness back.", "没有启动探针来推迟存活探针。"),
             -2.2, Text("A startup probe holds liveness back.", "启动探针会推迟存活探针。")),
        Term("event-liveness-kill", 1.8, Text("The kubelet ended the container because of liveness.", "kubelet 因存活探针终止容器。"),
             -1.6, Text("The kubelet ended no container because of liveness.", "kubelet 没有因存活探针终止容器。")),
        Term("kubelet-liveness-failing", 1.4, Text("Liveness fails.", "存活探针失败。"),
             -2.0, Text("Liveness does not fail.", "存活探针没有失败。")),
        Term("pod-constant-age-restarts", 1.8, Text("Restarts come at a constant age: initialDelaySeconds + failureThreshold x periodSeconds.", "总在同一时长后重启：initialDelaySeconds + failureThreshold × periodSeconds。"),
             -0.8, Text("Restarts do not come at a constant age.", "重启时长不固定。")),
        Term("pod-not-started", 1.2, Text("The container was never ready.", "容器从未就绪。"),
             -1.2, Text("The container had been ready.", "容器曾经就绪。")),
        Term("pod-young", 0.8, Text("It fails in the first moments of its life.", "失败发生在容器刚启动时。"),
             -1.0, Text("The container had been running for long.", "容器已运行较久。")),
        Term("kubelet-startup-failing", 0.2, Text("No startup probe failed.", "没有启动探针失败。"),
             -1.5, Text("The startup probe fails, so liveness has not begun.", "启动探针失败，存活探针尚未开始。"), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("It did not crash by itself.", "并非自身崩溃。"),
             -0.6, Text("It crashed by itself.", "自身崩溃。"), condition=Condition.NOT_SEEN),
        Term("spec-liveness-stricter", 0.4, Text("Liveness is stricter than readiness.", "存活探针比就绪探针更严格。")),
    ),
    exclusions=(
        Exclusion("spec-no-startup-probe", Text("A startup probe holds liveness back until the start is over.", "启动探针会在启动完成前推迟存活探针。"), seen=False),
        Exclusion("pod-restarted", Text("Nothing was restarted.", "没有重启。"), seen=False, also=(("kubelet-liveness-failing", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod>,reason=Killing", "kubectl -n <ns> get events --field-selector involvedObject.name=<pod>,reason=Killing"),
        Text("Add a startupProbe on the same route: periodSeconds 2, failureThreshold 30 gives a minute; raise it above the measured start.", "为同一接口添加 startupProbe：periodSeconds 2、failureThreshold 30 即一分钟；应高于实测启动时间。"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].livenessProbe}'", "kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].livenessProbe}'"),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes",),
    weights_from="Kubelet source: liveness is compared with the container's start on each tick and kills after failureThreshold failures. Weights are judgement.",
)  # fmt: skip
