"""The garbage collector takes so much that answers are late."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="gc-pressure",
    layer="application",
    title=Text("Garbage collection pressure", "垃圾回收压力"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-3.0,
    needs=frozenset({"go-gc-cpu-high", "go-gc-pause-long"}),
    terms=(
        Term("go-gc-cpu-high", 4.0, Text("The runtime itself counts how much of its CPU time the collector takes.", "运行时自身统计了垃圾回收占用的 CPU 时间。"),
             -2.5, Text("By the runtime's own count the collector takes little CPU time.", "按运行时自身统计，垃圾回收只占少量 CPU 时间。")),
        Term("go-gc-pause-long", 3.2, Text("Pauses were long, as measured by the runtime itself.", "运行时自身测得停顿较长。"),
             -0.4, Text("Pauses were short, as they are even where the collector takes most of the CPU.", "停顿很短；即使垃圾回收占用大部分 CPU，停顿也很短。")),
        Term("memory-near-limit", 0.8, Text("Memory was tight.", "内存紧张。")),
        Term("cpu-throttled", 0.6, Text("The quota is used up, and the collector is what uses it.", "配额已用尽，而用掉它的正是垃圾回收。")),
        Term("request-latency-high", 0.6, Text("Several routes were late, not only the probed one.", "多个接口变慢，而非仅探针接口。")),
        Term("other-routes-slow", 1.0, Text("Other routes were slow as well.", "其他接口同样变慢。"),
             -0.3, Text("Other routes were on time.", "其他接口正常。")),
        Term("probe-app-silent", 0.8, Text("The application answered too late.", "应用应答过晚。")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.", "kubelet 已连接但未按时收到响应头。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("event-grpc-silent", 0.8, Text("The health call was not answered in time.", "健康检查调用未按时应答。")),
        Term("kubelet-probe-near-timeout", 0.5, Text("Even successful probes came close to their time limit.", "即使成功的探测也接近时限。")),
        Term("probe-slow-success", 0.6, Text("Successful probes were slow.", "成功的探测变慢。")),
    ),
    exclusions=(
        Exclusion("go-gc-cpu-high", Text("By the runtime's own count the collector takes little CPU time.", "按运行时自身统计，垃圾回收只占少量 CPU 时间。"), seen=False),
    ),
    next_steps=(
        Text("go_gc_duration_seconds{quantile=\"1\"}", "go_gc_duration_seconds{quantile=\"1\"}"),
        Text("rate(go_cpu_classes_gc_total_cpu_seconds_total{pod=\"<pod>\"}[5m]) / rate(go_cpu_classes_user_cpu_seconds_total{pod=\"<pod>\"}[5m])", "rate(go_cpu_classes_gc_total_cpu_seconds_total{pod=\"<pod>\"}[5m]) / rate(go_cpu_classes_user_cpu_seconds_total{pod=\"<pod>\"}[5m])"),
        Text("Set GOMEMLIMIT below the memory limit and look at the allocation profile.", "将 GOMEMLIMIT 设为低于内存上限，并检查分配剖析。"),
    ),
    references=("https://go.dev/doc/gc-guide",),
    weights_from="Recorded fault (a cache grew past GOMEMLIMIT under a CPU limit): the collector went from a hundredth to most of the CPU time while no pause reached 0.1 s, so the CPU time decides and short pauses say little. The prior is the lowest of all: a live heap of 800 MB gave pauses of 17.6 microseconds.",
)  # fmt: skip
