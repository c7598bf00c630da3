"""The garbage collector takes so much that answers are late."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="gc-pressure",
    layer="application",
    title=Text("Garbage collection pressure", "垃圾回收压力"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-3.0,
    needs=frozenset({"go-gc-pause-long"}),
    terms=(
        Term("go-gc-pause-long", 3.2, Text("Pauses were long, as measured by the runtime itself.", "运行时自身测得停顿较长。"),
             -2.5, Text("The runtime's own pauses were short.", "运行时自身停顿很短。")),
        Term("memory-near-limit", 0.8, Text("Memory was tight.", "内存紧张。"),
             -0.4, Text("Memory was not tight.", "内存不紧张。")),
        Term("probe-app-silent", 0.5, Text("The application answered too late.", "应用应答过晚。")),
    ),
    exclusions=(
        Exclusion("go-gc-pause-long", Text("The runtime's own pauses were short.", "运行时自身停顿很短。"), seen=False),
    ),
    next_steps=(
        Text("go_gc_duration_seconds{quantile=\"1\"}", "go_gc_duration_seconds{quantile=\"1\"}"),
        Text("rate(go_gc_duration_seconds_sum[5m])", "rate(go_gc_duration_seconds_sum[5m])"),
        Text("Set GOMEMLIMIT below the memory limit and look at the allocation profile.", "将 GOMEMLIMIT 设为低于内存上限，并检查分配剖析。"),
    ),
    references=("https://go.dev/doc/gc-guide",),
    weights_from="Measured: a live heap of 800 MB gave pauses of 17.6 microseconds, so the prior is the lowest of all and only the runtime's own pauses count.",
)  # fmt: skip
