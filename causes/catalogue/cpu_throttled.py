"""The CPU quota is used up, so everything in the container is late."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="cpu-throttled",
    layer="application",
    title=Text("CPU throttled"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    weights_from=(
        "Share of throttled periods from the Kubernetes mixin's alert CPUThrottlingHigh (25 %); weights are judgement."
    ),
    needs=frozenset({"cpu-throttled"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("cpu-throttled", supports=3.0, opposes=-2.5),
        Term("request-latency-high", supports=1.0, opposes=-0.4),
        Term("probe-app-silent", supports=0.8),
        Term("event-headers-timeout", supports=1.6),
        Term("event-exec-timeout", supports=0.8),
        Term("event-deadline", supports=0.8),
        Term("kubelet-probe-near-timeout", supports=0.5),
        Term("event-grpc-silent", supports=0.8),
        Term("other-routes-slow", supports=1.0, opposes=-0.3),
        Term("go-gc-cpu-high", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("probe-slow-success", supports=0.6),
    ),
    sentences={
        "cpu-throttled": Sentences(
            supports=Text("A large share of the periods was throttled."),
            opposes=Text("The quota was not used up."),
        ),
        "request-latency-high": Sentences(
            supports=Text("Several routes were late, not only the probed one."),
            opposes=Text("Other routes were on time."),
        ),
        "probe-app-silent": Sentences(supports=Text("The application answered too late.")),
        "event-headers-timeout": Sentences(supports=Text("The kubelet connected and got no headers in time.")),
        "event-exec-timeout": Sentences(supports=Text("The probe's command did not end in time.")),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "kubelet-probe-near-timeout": Sentences(
            supports=Text("Even successful probes came close to their time limit.")
        ),
        "event-grpc-silent": Sentences(supports=Text("The health call was not answered in time.")),
        "other-routes-slow": Sentences(
            supports=Text("Other routes were slow as well."),
            opposes=Text("Other routes were on time."),
        ),
        "go-gc-cpu-high": Sentences(
            supports=Text("It is not the garbage collector."),
            opposes=Text("The garbage collector takes the CPU, which is more exact."),
        ),
        "probe-slow-success": Sentences(supports=Text("Successful probes were slow.")),
    },
    exclusions=(
        Exclusion(
            when={"cpu-throttled": False},
            sentence=Text("The quota was not used up."),
        ),
    ),
    next_steps=(
        Text(
            'rate(container_cpu_cfs_throttled_periods_total{pod="<pod>"}[5m]) / '
            'rate(container_cpu_cfs_periods_total{pod="<pod>"}[5m])'
        ),
        Text("Raise or remove the CPU limit, or set GOMAXPROCS to it."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
)
