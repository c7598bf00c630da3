"""The probe gives the route less time than the route takes on an ordinary day."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="probe-timeout-below-latency",
    layer="probe settings",
    title=Text("The probe's time limit is below the route's latency"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Kubelet source: the duration is observed for successful probes only, so it shows the approach to the limit "
        "and never the failure. Weights are judgement."
    ),
    needs=frozenset({"spec-timeout-below-latency", "kubelet-probe-near-timeout", "probe-slow-success"}),
    contributes_to=frozenset({"cpu-throttled", "handler-blocked-on-dependency", "gc-pressure"}),
    terms=(
        Term("spec-timeout-below-latency", supports=3.2, opposes=-2.0),
        Term("kubelet-probe-near-timeout", supports=2.2, opposes=-1.5),
        Term("probe-slow-success", supports=2.0, opposes=-0.8),
        Term("event-exec-timeout", supports=0.8),
        Term("event-deadline", supports=1.0),
        Term("event-grpc-silent", supports=0.8),
        Term("kubelet-readiness-failing", supports=0.3),
        Term("go-goroutines-rising", supports=0.4, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("cpu-throttled", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("dependency-latency-high", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "spec-timeout-below-latency": Sentences(
            supports=Text("timeoutSeconds is below the measured P99 of the very route."),
            opposes=Text("timeoutSeconds is above the measured P99."),
        ),
        "kubelet-probe-near-timeout": Sentences(
            supports=Text("Successful probes already take almost all of the time."),
            opposes=Text("Successful probes are far from the limit."),
        ),
        "probe-slow-success": Sentences(
            supports=Text("Successful probes take almost as long as is allowed."),
            opposes=Text("Successful probes are quick."),
        ),
        "event-exec-timeout": Sentences(supports=Text("The probe's command did not end in time.")),
        "event-deadline": Sentences(supports=Text("The kubelet gave up while waiting for headers.")),
        "event-grpc-silent": Sentences(supports=Text("The health call did not end in time.")),
        "kubelet-readiness-failing": Sentences(supports=Text("Readiness fails now and then.")),
        "go-goroutines-rising": Sentences(
            supports=Text("Nothing piles up: the route is slow, not stuck."),
            opposes=Text("Work piles up, so something is stuck."),
        ),
        "cpu-throttled": Sentences(
            supports=Text("The CPU quota does not explain it."),
            opposes=Text("CPU throttling explains the lateness."),
        ),
        "dependency-latency-high": Sentences(
            supports=Text("No dependency was slow."),
            opposes=Text("A dependency was slow."),
        ),
    },
    exclusions=(
        Exclusion(
            when={
                "kubelet-readiness-failing": False,
                "kubelet-liveness-failing": False,
                "kubelet-startup-failing": False,
                "event-deadline": False,
            },
            sentence=Text("No probe of the kubelet failed."),
        ),
        Exclusion(
            when={
                "kubelet-probe-near-timeout": False,
                "spec-timeout-below-latency": False,
                "probe-slow-success": False,
            },
            sentence=Text("Successful probes are far from the limit, by every observer."),
        ),
        Exclusion(
            when={"probe-refused": True, "probe-app-silent": False, "event-deadline": False},
            sentence=Text("Refused at once, which no time limit explains."),
        ),
    ),
    next_steps=(
        Text(
            "histogram_quantile(0.99, sum by (le, probe_type) "
            '(rate(prober_probe_duration_seconds_bucket{pod="<pod>"}[30m])))'
        ),
        Text(
            "kubectl -n <ns> get pod <pod> -o jsonpath='{range .spec.containers[*]}{.name}{\" "
            '"}{.readinessProbe.timeoutSeconds}{" "}{.livenessProbe.timeoutSeconds}{"\\n"}{end}\''
        ),
        Text(
            "Set timeoutSeconds above the P99 of the route with margin (3 s is usual for readiness), or give the probe "
            "a cheaper route."
        ),
    ),
    references=(
        "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
        "https://kubernetes.io/docs/reference/instrumentation/metrics/",
    ),
)
