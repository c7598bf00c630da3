"""The process listens, and says that it is not ready, because something it needs comes later."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="dependency-late-at-start",
    layer="start",
    title=Text("A dependency comes late at start", "启动时依赖尚未就绪"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"probe-status-unavailable", "event-status-unavailable", "event-not-serving", "dependency-failing"}),
    terms=(
        Term("pod-recovered-after-start", 1.8, Text("Failures come only in the first moments after the start.", "失败仅出现在启动后的最初时刻。")),
        Term("pod-young", 1.6, Text("The container had just been started.", "容器刚刚启动。"),
             -2.0, Text("The container had been running for long.", "容器已运行较久。")),
        Term("probe-status-unavailable", 2.4, Text("It answers, and says itself that it is not ready yet.", "应用有应答，并自报尚未就绪。")),
        Term("event-status-unavailable", 2.4, Text("The kubelet was told that it is not ready yet.", "kubelet 收到尚未就绪的应答。")),
        Term("event-not-serving", 1.8, Text("The health service says NOT_SERVING.", "健康检查服务返回 NOT_SERVING。"), group="status"),
        Term("dependency-failing", 1.4, Text("Something that it depends on was in trouble meanwhile.", "其依赖同时异常。")),
        Term("probe-refused", 0.2, Text("The port was bound.", "端口已绑定。"),
             -0.6, Text("Nothing listened yet, so no dependency was asked.", "尚未监听，谈不上检查依赖。"), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.2, Text("The kubelet was not refused.", "kubelet 没有被拒绝。"),
             -0.6, Text("The kubelet was refused: nothing listened yet.", "kubelet 被拒绝：尚未监听。"), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("Nothing crashed.", "没有崩溃。"),
             -1.0, Text("It crashed.", "发生崩溃。"), condition=Condition.NOT_SEEN),
        Term("probe-recovered-fast", 0.5, Text("It went away when the dependency came.", "依赖就绪后恢复。")),
    ),
    exclusions=(
        Exclusion("pod-young", Text("The container was long past its start.", "容器早已完成启动。"), seen=False, also=(("pod-recovered-after-start", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --since=30m | head -50", "kubectl -n <ns> logs <pod> --since=30m | head -50"),
        Text("kubectl -n <ns> get endpointslices -o wide", "kubectl -n <ns> get endpointslices -o wide"),
        Text("Let readiness stay false until the dependency answers (that is right), and alert only when it lasts longer than a start takes.", "依赖就绪前保持未就绪（这是正确的），仅当超过启动耗时才告警。"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes",),
    weights_from="Judgement: an answer of 503 in the first moments of a container means that it runs and waits. The accept queue is open from listen(2) on, so a start race shows as an answer or a refusal, never as a timeout.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
