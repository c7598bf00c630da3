"""The garbage collector takes so much that answers are late."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="gc-pressure",
    layer="application",
    title=Text("Garbage collection pressure"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-3.0,
    needs=frozenset({"go-gc-cpu-high", "go-gc-pause-long"}),
    terms=(
        Term("go-gc-cpu-high", 4.0, Text("The runtime itself counts how much of its CPU time the collector takes."),
             -2.5, Text("By the runtime's own count the collector takes little CPU time.")),
        Term("go-gc-pause-long", 3.2, Text("Pauses were long, as measured by the runtime itself."),
             -0.4, Text("Pauses were short, as they are even where the collector takes most of the CPU.")),
        Term("memory-near-limit", 0.8, Text("Memory was tight.")),
        Term("cpu-throttled", 0.6, Text("The quota is used up, and the collector is what uses it.")),
        Term("request-latency-high", 0.6, Text("Several routes were late, not only the probed one.")),
        Term("other-routes-slow", 1.0, Text("Other routes were slow as well."),
             -0.3, Text("Other routes were on time.")),
        Term("probe-app-silent", 0.8, Text("The application answered too late.")),
        Term("event-headers-timeout", 1.6, Text("The kubelet connected and got no headers in time.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.")),
        Term("event-grpc-silent", 0.8, Text("The health call was not answered in time.")),
        Term("kubelet-probe-near-timeout", 0.5, Text("Even successful probes came close to their time limit.")),
        Term("probe-slow-success", 0.6, Text("Successful probes were slow.")),
    ),
    exclusions=(
        Exclusion("go-gc-cpu-high", Text("By the runtime's own count the collector takes little CPU time."), seen=False),
    ),
    next_steps=(
        Text('go_gc_duration_seconds{quantile="1"}'),
        Text('rate(go_cpu_classes_gc_total_cpu_seconds_total{pod="<pod>"}[5m]) / rate(go_cpu_classes_user_cpu_seconds_total{pod="<pod>"}[5m])'),
        Text("Set GOMEMLIMIT below the memory limit and look at the allocation profile."),
    ),
    references=("https://go.dev/doc/gc-guide",),
    weights_from="Recorded fault (a cache grew past GOMEMLIMIT under a CPU limit): the collector went from a hundredth to most of the CPU time while no pause reached 0.1 s, so the CPU time decides and short pauses say little. The prior is the lowest of all: a live heap of 800 MB gave pauses of 17.6 microseconds.",
)  # fmt: skip
