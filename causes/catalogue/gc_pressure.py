"""The garbage collector takes so much that answers are late."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="gc-pressure",
    layer="application",
    title=Text("Garbage collection pressure"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-3.0,
    weights_from=(
        "Recorded fault (a cache grew past GOMEMLIMIT under a CPU limit): the collector went from a hundredth to most "
        "of the CPU time while no pause reached 0.1 s, so the CPU time decides and short pauses say little. The prior "
        "is the lowest of all: a live heap of 800 MB gave pauses of 17.6 microseconds."
    ),
    needs=frozenset({"go-gc-cpu-high", "go-gc-pause-long"}),
    terms=(
        Term("go-gc-cpu-high", supports=4.0, opposes=-2.5),
        Term("go-gc-pause-long", supports=3.2, opposes=-0.4),
        Term("memory-near-limit", supports=0.8),
        Term("cpu-throttled", supports=0.6),
        Term("request-latency-high", supports=0.6),
        Term("other-routes-slow", supports=1.0, opposes=-0.3),
        Term("probe-app-silent", supports=0.8),
        Term("event-headers-timeout", supports=1.6),
        Term("event-deadline", supports=0.8),
        Term("event-grpc-silent", supports=0.8),
        Term("kubelet-probe-near-timeout", supports=0.5),
        Term("probe-slow-success", supports=0.6),
    ),
    sentences={
        "go-gc-cpu-high": Sentences(
            supports=Text("The runtime itself counts how much of its CPU time the collector takes."),
            opposes=Text("By the runtime's own count the collector takes little CPU time."),
        ),
        "go-gc-pause-long": Sentences(
            supports=Text("Pauses were long, as measured by the runtime itself."),
            opposes=Text("Pauses were short, as they are even where the collector takes most of the CPU."),
        ),
        "memory-near-limit": Sentences(supports=Text("Memory was tight.")),
        "cpu-throttled": Sentences(supports=Text("The quota is used up, and the collector is what uses it.")),
        "request-latency-high": Sentences(supports=Text("Several routes were late, not only the probed one.")),
        "other-routes-slow": Sentences(
            supports=Text("Other routes were slow as well."),
            opposes=Text("Other routes were on time."),
        ),
        "probe-app-silent": Sentences(supports=Text("The application answered too late.")),
        "event-headers-timeout": Sentences(supports=Text("The kubelet connected and got no headers in time.")),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "event-grpc-silent": Sentences(supports=Text("The health call was not answered in time.")),
        "kubelet-probe-near-timeout": Sentences(
            supports=Text("Even successful probes came close to their time limit.")
        ),
        "probe-slow-success": Sentences(supports=Text("Successful probes were slow.")),
    },
    exclusions=(
        Exclusion(
            when={"go-gc-cpu-high": False},
            sentence=Text("By the runtime's own count the collector takes little CPU time."),
        ),
    ),
    next_steps=(
        Text('go_gc_duration_seconds{quantile="1"}'),
        Text(
            'rate(go_cpu_classes_gc_total_cpu_seconds_total{pod="<pod>"}[5m]) / '
            'rate(go_cpu_classes_user_cpu_seconds_total{pod="<pod>"}[5m])'
        ),
        Text("Set GOMEMLIMIT below the memory limit and look at the allocation profile."),
    ),
    references=("https://go.dev/doc/gc-guide",),
)
