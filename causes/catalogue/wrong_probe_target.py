"""The probe asks the wrong path, port or scheme, or without the credentials the route wants."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="wrong-probe-target",
    layer="probe settings",
    title=Text("The probe asks the wrong target", "探针目标配置错误"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"probe-status-missing", "event-status-missing", "probe-status-auth", "event-status-auth", "probe-status-error", "event-status-code", "spec-port-not-declared", "probe-refused", "event-refused", "event-grpc-unimplemented", "probe-content-mismatch"}),
    terms=(
        Term("probe-status-error", 0.4, Text("The application answered, and said no (status {value}).", "应用已应答但拒绝（状态码 {value}）。"),
             -0.4, Text("No error status was seen.", "没有错误状态码。")),
        Term("probe-recovered-fast", 0.8, Text("A wrong setting does not heal by itself.", "错误配置不会自愈。"),
             -1.5, Text("It healed by itself, a wrong setting does not.", "问题自行恢复，错误配置不会如此。"), condition=Condition.NOT_SEEN),
        Term("pod-not-started", 0.8, Text("The pod never became ready.", "Pod 从未就绪。")),
        Term("probe-refused", 0.6, Text("Nothing listens on the port that is asked.", "所探测端口无监听。")),
        Term("pod-crashed", 0.4, Text("The process itself is fine.", "进程本身正常。"),
             -1.0, Text("The process crashed.", "进程崩溃。"), condition=Condition.NOT_SEEN),
        Term("probe-status-missing", 2.8, Text("404: the path does not exist.", "404：路径不存在。")),
        Term("event-status-missing", 2.8, Text("The kubelet got 404: the path does not exist.", "kubelet 收到 404：路径不存在。")),
        Term("probe-status-auth", 2.8, Text("401 or 403: the route wants credentials, which a probe has not.", "401 或 403：接口需要凭据，而探针没有。")),
        Term("event-status-auth", 2.8, Text("The kubelet got 401 or 403: the route wants credentials.", "kubelet 收到 401 或 403：接口需要凭据。")),
        Term("event-status-code", 0.4, Text("The kubelet got an error status.", "kubelet 收到错误状态码。")),
        Term("probe-status-unavailable", 0.1, Text("It did not say that it is unavailable.", "应用没有报告不可用。"),
             -1.8, Text("503 says that the application knows the route and is not ready.", "503 表示应用认识该接口但尚未就绪。"), condition=Condition.NOT_SEEN, group="unavailable"),
        Term("event-status-unavailable", 0.1, Text("The kubelet got no 503.", "kubelet 未收到 503。"),
             -1.8, Text("503 says that the application knows the route and is not ready.", "503 表示应用认识该接口但尚未就绪。"), condition=Condition.NOT_SEEN, group="unavailable"),
        Term("spec-port-not-declared", 2.2, Text("The probed port is none of the container's declared ports.", "所探测端口不在容器声明的端口中。"),
             -0.6, Text("The probed port is a declared one.", "所探测端口已声明。")),
        Term("event-grpc-unimplemented", 3.0, Text("The server has no health service that a gRPC probe could ask.", "服务端没有可供 gRPC 探针调用的健康检查服务。")),
        Term("event-refused", 0.6, Text("The kubelet was refused: nothing listens there.", "kubelet 被拒绝：该处无监听。")),
        Term("pod-restarted", 0.1, Text("Nothing was restarted.", "没有重启。"),
             -0.8, Text("It was restarted meanwhile.", "期间有重启。"), condition=Condition.NOT_SEEN),
        Term("probe-content-mismatch", 1.2, Text("It answers 200, and not with what the probe expects.", "返回 200，但内容与探针预期不符。")),
        Term("live-refused", 0.6, Text("A connection tried just now was refused.", "刚才的连接尝试被拒绝。")),
    ),
    exclusions=(
        Exclusion("probe-app-silent", Text("The connection was made and no answer came: the target exists.", "连接已建立但无应答：目标存在。"), also=(("probe-status-error", False),)),
        Exclusion("probe-transport-timeout", Text("No connection was made until the timeout; a wrong path would be answered.", "直到超时未建立连接；错误路径会得到应答。"), also=(("probe-status-error", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'", "kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'"),
        Text("kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>", "kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Status codes are the application's own answer; weights are judgement.",
)  # fmt: skip
