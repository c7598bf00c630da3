"""The port was not bound yet when the first probes came."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="no-listener-at-start",
    layer="start",
    title=Text("No listener yet at start", "启动时尚未监听"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"probe-refused", "event-refused"}),
    terms=(
        Term("probe-refused", 1.8, Text("Refused at once: the host is there, nothing listens on the port.", "立即被拒绝：主机可达，端口无监听。"),
             -1.8, Text("Nothing was refused.", "没有连接被拒绝。")),
        Term("pod-young", 2.0, Text("The failures fall into the first moments of the container's life.", "失败集中在容器刚启动时。"),
             -2.0, Text("The container had been running for long.", "容器已运行较久。")),
        Term("probe-recovered-fast", 0.8, Text("It went away by itself.", "随后自行恢复。"),
             -0.6, Text("It did not go away by itself.", "没有自行恢复。")),
        Term("pod-crashed", 0.6, Text("Nothing crashed.", "没有崩溃。"),
             -2.2, Text("The container crashed, so the listener was lost.", "容器崩溃，监听丢失。"), condition=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", 0.4, Text("The kubelet's readiness probe saw it too.", "kubelet 就绪探针同样观察到。")),
        Term("kubelet-startup-failing", 0.4, Text("The startup probe saw it too.", "启动探针同样观察到。"), group="kubelet-readiness-failing"),
        Term("pod-restarted", 0.2, Text("It was not restarted.", "没有重启。"),
             -3.0, Text("It was restarted meanwhile, and that is why nobody listened.", "期间有重启，因此无监听。"), condition=Condition.NOT_SEEN),
        Term("event-refused", 1.8, Text("The kubelet was refused at once as well.", "kubelet 同样立即被拒绝。")),
        Term("pod-recovered-after-start", 2.0, Text("Failures come only in the first moments after each start.", "失败仅出现在每次启动后的最初时刻。")),
        Term("probe-status-unavailable", 0.2, Text("Nobody answered that it is not ready.", "没有应答自报未就绪。"),
             -2.5, Text("It answers that it is not ready, so somebody listens.", "应用应答自报未就绪，说明已在监听。"), condition=Condition.NOT_SEEN),
        Term("event-status-unavailable", 0.2, Text("The kubelet got no such answer.", "kubelet 没有收到此类应答。"),
             -2.5, Text("The kubelet was told that it is not ready, so somebody listens.", "kubelet 收到未就绪应答，说明已在监听。"), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.1, Text("It was not killed for memory.", "并非因内存被杀。"),
             -2.5, Text("It was killed for memory, and that is why nobody listened.", "因内存被杀，因此无监听。"), condition=Condition.NOT_SEEN),
        Term("event-deadline", 0.1, Text("Nobody waited for headers in vain.", "没有等待响应头超时。"),
             -2.2, Text("Other probes ran into their time limit, which a missing listener does not cause.", "另有探测超时，无监听不会如此。"), condition=Condition.NOT_SEEN),
        Term("spec-port-not-declared", 0.1, Text("The probed port is a declared one.", "所探测端口已声明。"),
             -1.5, Text("The probed port is none of the declared ones, so nobody may ever listen there.", "所探测端口未声明，可能永远无监听。"), condition=Condition.NOT_SEEN),
        Term("live-refused", 1.2, Text("A connection tried just now was refused.", "刚才的连接尝试被拒绝。")),
    ),
    exclusions=(
        Exclusion("pod-young", Text("The container was long past its start.", "容器早已完成启动。"), seen=False, also=(("pod-recovered-after-start", False),)),
        Exclusion("pod-being-deleted", Text("The pod was on its way out, not starting.", "Pod 正在下线而非启动。"), also=(("pod-young", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod> --sort-by=.lastTimestamp", "kubectl -n <ns> get events --field-selector involvedObject.name=<pod> --sort-by=.lastTimestamp"),
        Text("Add a startupProbe: budget = initialDelaySeconds + failureThreshold x periodSeconds above the measured start.", "添加 startupProbe：预算 = initialDelaySeconds + failureThreshold × periodSeconds，应大于实测启动时间。"),
        Text("Bind the port only when the service can serve, and keep readiness false until then.", "在可提供服务后再绑定端口，此前保持未就绪。"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Recorded fault (a process that listened 30 s after its start): refused in the first moments, then clean.",
)  # fmt: skip
