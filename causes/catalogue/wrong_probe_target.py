"""The probe asks the wrong path, port or scheme, or without the credentials the route wants."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="wrong-probe-target",
    layer="probe settings",
    title=Text("The probe asks the wrong target", "探针目标配置错误"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("probe-status-error", 1.6, Text("The application answered, and said no (status {value}).", "应用已应答但拒绝（状态码 {value}）。"),
             -0.5, Text("No error status was seen.", "没有错误状态码。")),
        Term("probe-recovered-fast", 0.8, Text("A wrong setting does not heal by itself.", "错误配置不会自愈。"),
             -1.5, Text("It healed by itself, a wrong setting does not.", "问题自行恢复，错误配置不会如此。"), condition=Condition.NOT_SEEN),
        Term("pod-not-started", 0.8, Text("The pod never became ready.", "Pod 从未就绪。")),
        Term("probe-refused", 0.6, Text("Nothing listens on the port that is asked.", "所探测端口无监听。")),
        Term("pod-crashed", 0.4, Text("The process itself is fine.", "进程本身正常。"),
             -1.0, Text("The process crashed.", "进程崩溃。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-app-silent", Text("The connection was made and no answer came: the target exists.", "连接已建立但无应答：目标存在。")),
        Exclusion("probe-transport-timeout", Text("No connection was made until the timeout; a wrong path would be answered.", "直到超时未建立连接；错误路径会得到应答。")),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'", "kubectl -n <ns> get pod <pod> -o yaml | grep -A8 -E 'livenessProbe|readinessProbe|startupProbe'"),
        Text("kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>", "kubectl -n <ns> exec <pod> -- wget -S -O- http://127.0.0.1:<port><path>"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
)  # fmt: skip
