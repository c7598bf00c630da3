"""Readiness fails because the pod is being deleted or rolled: planned noise."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="graceful-shutdown-noise",
    layer="shutdown",
    title=Text("Noise of a graceful shutdown", "正常下线产生的噪声"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("pod-being-deleted", 3.0, Text("The pod was on its way out when it failed.", "失败时 Pod 正在被删除。"),
             -2.5, Text("The pod was not being deleted.", "Pod 没有被删除。")),
        Term("rollout-in-progress", 1.2, Text("A rollout replaced pods at that time.", "当时正在滚动发布。"),
             -0.3, Text("No rollout was going on.", "没有滚动发布。")),
        Term("kubelet-liveness-failing", 0.6, Text("Liveness stayed silent, as it does for a pod on its way out.", "存活探针保持静默，下线中的 Pod 正是如此。"),
             -1.5, Text("Liveness failed, which it does not for a pod on its way out.", "存活探针失败，而下线中的 Pod 不再执行它。"), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("Nothing crashed.", "没有崩溃。"),
             -1.5, Text("It crashed.", "发生崩溃。"), condition=Condition.NOT_SEEN),
        Term("spec-drain-short", 0.3, Text("The drain time in the spec is long enough.", "规格中的排空时间足够。"),
             -0.4, Text("The drain time in the spec is shorter than it takes to leave the endpoints.", "规格中的排空时间短于移出端点所需时间。"), condition=Condition.NOT_SEEN),
        Term("probe-status-unavailable", 0.8, Text("It says itself that it is leaving.", "应用自报正在下线。")),
        Term("event-status-unavailable", 0.8, Text("The kubelet was told that it is leaving.", "kubelet 收到正在下线的应答。")),
        Term("probe-refused", 0.2, Text("Nobody was refused meanwhile.", "期间没有连接被拒绝。"),
             -1.8, Text("Connections were refused while traffic still came.", "仍有流量时连接被拒绝。"), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.2, Text("The kubelet was not refused meanwhile.", "kubelet 期间没有被拒绝。"),
             -1.8, Text("The kubelet was refused before the pod was gone.", "Pod 消失前 kubelet 被拒绝。"), condition=Condition.NOT_SEEN),
        Term("event-stopping", 1.6, Text("The kubelet stopped it on purpose.", "kubelet 主动停止了容器。"), group="pod-being-deleted"),
        Term("kubelet-readiness-failing", 0.3, Text("Readiness goes on while a pod is being deleted.", "Pod 删除期间就绪探针仍在执行。")),
    ),
    exclusions=(
        Exclusion("pod-being-deleted", Text("The pod was not being deleted, and nothing was rolled out.", "Pod 没有被删除，也没有发布。"), seen=False, also=(("rollout-in-progress", False),)),
    ),
    next_steps=(
        Text("Nothing is broken. Leave pods with a deletion timestamp out of the alert: kube_pod_deletion_timestamp", "没有故障。告警应排除带删除时间戳的 Pod：kube_pod_deletion_timestamp"),
        Text("Give proxies time: a preStop sleep of some seconds; preStop plus drain below terminationGracePeriodSeconds.", "为代理留出时间：preStop 睡眠数秒；preStop 与排空之和应小于 terminationGracePeriodSeconds。"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",),
    weights_from="Kubelet source: liveness and startup probes stop on deletion, readiness goes on. Weights are judgement.",
    no_fault=True,
)  # fmt: skip
