"""The probe gives the route less time than the route takes on an ordinary day."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="probe-timeout-below-latency",
    layer="probe settings",
    title=Text("The probe's time limit is below the route's latency"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"spec-timeout-below-latency", "kubelet-probe-near-timeout", "probe-slow-success"}),
    terms=(
        Term("spec-timeout-below-latency", 3.2, Text("timeoutSeconds is below the measured P99 of the very route."),
             -2.0, Text("timeoutSeconds is above the measured P99.")),
        Term("kubelet-probe-near-timeout", 2.2, Text("Successful probes already take almost all of the time."),
             -1.5, Text("Successful probes are far from the limit.")),
        Term("probe-slow-success", 2.0, Text("Successful probes take almost as long as is allowed."),
             -0.8, Text("Successful probes are quick.")),
        Term("event-exec-timeout", 0.8, Text("The probe's command did not end in time.")),
        Term("event-deadline", 1.0, Text("The kubelet gave up while waiting for headers.")),
        Term("event-grpc-silent", 0.8, Text("The health call did not end in time.")),
        Term("kubelet-readiness-failing", 0.3, Text("Readiness fails now and then.")),
        Term("go-goroutines-rising", 0.4, Text("Nothing piles up: the route is slow, not stuck."),
             -2.0, Text("Work piles up, so something is stuck."), condition=Condition.NOT_SEEN),
        Term("cpu-throttled", 0.2, Text("The CPU quota does not explain it."),
             -1.5, Text("CPU throttling explains the lateness."), condition=Condition.NOT_SEEN),
        Term("dependency-latency-high", 0.2, Text("No dependency was slow."),
             -0.8, Text("A dependency was slow."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("kubelet-probe-near-timeout", Text("Successful probes are far from the limit, by every observer."), seen=False, also=(("spec-timeout-below-latency", False), ("probe-slow-success", False))),
        Exclusion("probe-refused", Text("Refused at once, which no time limit explains."), also=(("probe-app-silent", False), ("event-deadline", False))),
    ),
    next_steps=(
        Text('histogram_quantile(0.99, sum by (le, probe_type) (rate(prober_probe_duration_seconds_bucket{pod="<pod>"}[30m])))'),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{range .spec.containers[*]}{.name}{\" \"}{.readinessProbe.timeoutSeconds}{\" \"}{.livenessProbe.timeoutSeconds}{\"\\n\"}{end}'"),
        Text("Set timeoutSeconds above the P99 of the route with margin (3 s is usual for readiness), or give the probe a cheaper route."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/", "https://kubernetes.io/docs/reference/instrumentation/metrics/"),
    weights_from="Kubelet source: the duration is observed for successful probes only, so it shows the approach to the limit and never the failure. Weights are judgement.",
    contributes_to=frozenset({"cpu-throttled", "handler-blocked-on-dependency", "gc-pressure"}),
)  # fmt: skip
