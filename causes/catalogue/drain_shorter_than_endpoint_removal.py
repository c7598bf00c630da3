"""The process stops listening before the proxies have stopped sending to it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="drain-shorter-than-endpoint-removal",
    layer="shutdown",
    title=Text("The listener closes before traffic stops", "监听早于流量停止而关闭"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("spec-drain-short", 1.2, Text("The delay before the stop is shorter than it takes to leave the endpoints.", "停止前的等待短于移出端点所需时间。"),
             -0.8, Text("The delay before the stop is long enough.", "停止前的等待足够。")),
        Term("pod-being-deleted", 1.6, Text("It happened while the pod was on its way out.", "发生在 Pod 下线期间。"),
             -2.2, Text("The pod was not being deleted.", "Pod 没有被删除。")),
        Term("probe-refused", 2.2, Text("Connections are refused while traffic still comes.", "仍有流量时连接被拒绝。"),
             -1.0, Text("No connection was refused.", "没有连接被拒绝。")),
        Term("event-refused", 2.2, Text("The kubelet was refused while the pod was on its way out.", "Pod 下线期间 kubelet 被拒绝。")),
        Term("event-stopping", 1.2, Text("The kubelet was stopping it.", "kubelet 正在停止容器。"), group="pod-being-deleted"),
        Term("probe-dropped-by-app", 0.8, Text("Connections were cut.", "连接被切断。")),
        Term("rollout-in-progress", 0.4, Text("A rollout replaced pods.", "正在滚动发布。"),
             -0.3, Text("No rollout was going on.", "没有滚动发布。")),
        Term("kubelet-liveness-failing", 0.2, Text("Liveness stayed silent.", "存活探针保持静默。"),
             -1.0, Text("Liveness failed, so the pod was in trouble before.", "存活探针失败，说明此前已有问题。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("pod-being-deleted", Text("No pod was being deleted.", "没有 Pod 在删除中。"), seen=False, also=(("event-stopping", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.terminationGracePeriodSeconds}{\" \"}{.spec.containers[*].lifecycle.preStop}'", "kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.terminationGracePeriodSeconds}{\" \"}{.spec.containers[*].lifecycle.preStop}'"),
        Text("Add a preStop sleep of 5 to 10 s before SIGTERM: proxies are told of the removal at the same time as the process. preStop plus drain below terminationGracePeriodSeconds.", "在 SIGTERM 前增加 5–10 秒的 preStop 睡眠：代理与进程同时得知移除。preStop 与排空之和应小于 terminationGracePeriodSeconds。"),
        Text("On SIGTERM set readiness to false first, go on serving, and call Shutdown after the delay.", "收到 SIGTERM 后先置为未就绪并继续服务，延迟后再调用 Shutdown。"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination", "https://pkg.go.dev/net/http#Server.Shutdown"),
    weights_from="Kubernetes documentation: endpoint removal follows the deletion, and proxies learn of it later. Weights are judgement.",
)  # fmt: skip
