"""The CPU quota is used up, so everything in the container is late."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cpu-throttled",
    layer="application",
    title=Text("CPU throttled", "CPU 被限流"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"cpu-throttled"}),
    terms=(
        Term("cpu-throttled", 3.0, Text("A large share of the periods was throttled.", "大量周期被限流。"),
             -2.5, Text("The quota was not used up.", "配额没有用尽。")),
        Term("request-latency-high", 1.0, Text("Several routes were late, not only the probed one.", "多个接口变慢，而非仅探针接口。"),
             -0.4, Text("Other routes were on time.", "其他接口正常。")),
        Term("probe-app-silent", 0.8, Text("The application answered too late.", "应用应答过晚。")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.", "kubelet 已连接但未按时收到响应头。")),
        Term("event-exec-timeout", 0.8, Text("The probe's command did not end in time.", "探针命令未按时结束。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("kubelet-probe-near-timeout", 0.5, Text("Even successful probes came close to their time limit.", "即使成功的探测也接近时限。")),
        Term("event-grpc-silent", 0.8, Text("The health call was not answered in time.", "健康检查调用未按时应答。")),
        Term("other-routes-slow", 1.0, Text("Other routes were slow as well.", "其他接口同样变慢。"),
             -0.3, Text("Other routes were on time.", "其他接口正常。")),
        Term("go-gc-cpu-high", 0.1, Text("It is not the garbage collector.", "并非垃圾回收。"),
             -2.0, Text("The garbage collector takes the CPU, which is more exact.", "垃圾回收占用了 CPU，这一解释更准确。"), condition=Condition.NOT_SEEN),
        Term("probe-slow-success", 0.6, Text("Successful probes were slow.", "成功的探测变慢。")),
    ),
    exclusions=(
        Exclusion("cpu-throttled", Text("The quota was not used up.", "配额没有用尽。"), seen=False),
    ),
    next_steps=(
        Text("rate(container_cpu_cfs_throttled_periods_total{pod=\"<pod>\"}[5m]) / rate(container_cpu_cfs_periods_total{pod=\"<pod>\"}[5m])", "rate(container_cpu_cfs_throttled_periods_total{pod=\"<pod>\"}[5m]) / rate(container_cpu_cfs_periods_total{pod=\"<pod>\"}[5m])"),
        Text("Raise or remove the CPU limit, or set GOMAXPROCS to it.", "提高或取消 CPU 上限，或将 GOMAXPROCS 设为相应值。"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    weights_from="Share of throttled periods from the Kubernetes mixin's alert CPUThrottlingHigh (25 %); weights are judgement.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
