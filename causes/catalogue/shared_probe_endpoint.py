"""Liveness and readiness ask the same route, so what should only take the pod out of service kills it."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="shared-probe-endpoint",
    layer="probe settings",
    title=Text("Liveness and readiness share a route"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.4,
    needs=frozenset({"spec-shared-endpoint", "kubelet-probes-fail-together"}),
    terms=(
        Term("spec-shared-endpoint", 2.2, Text("The spec gives both probes the same path and port."),
             -2.5, Text("Each probe has a route of its own.")),
        Term("kubelet-probes-fail-together", 1.6, Text("Both kinds of probe fail at the same time."),
             -1.2, Text("They do not fail together.")),
        Term("event-liveness-kill", 1.6, Text("The kubelet ended the container because of liveness."),
             -1.0, Text("The kubelet ended no container because of liveness.")),
        Term("kubelet-liveness-failing", 0.8, Text("Liveness fails as well."),
             -1.2, Text("Liveness does not fail.")),
        Term("pod-restarted", 0.8, Text("Restarts follow."),
             -0.6, Text("Nothing was restarted yet."), group="kills"),
        Term("probe-app-silent", 0.6, Text("The shared route does not answer.")),
        Term("event-deadline", 0.4, Text("The kubelet waited for headers in vain.")),
        Term("go-goroutines-rising", 0.4, Text("Probes themselves pile up behind the block.")),
    ),
    exclusions=(
        Exclusion("spec-shared-endpoint", Text("Each probe has a route of its own."), seen=False),
        Exclusion("kubelet-liveness-failing", Text("Liveness did not fail, so sharing the route did no harm."), seen=False, also=(("pod-restarted", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A6 -E 'livenessProbe|readinessProbe'"),
        Text("Give liveness a route that only says that the process runs, for example /livez, and leave dependencies to /readyz."),
        Text("Until then raise the liveness probe's failureThreshold, so that a slow minute does not restart pods."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Judgement on the spec and on both probe kinds failing together; needs restarts or failing liveness, because a shared route alone harms nobody.",
    contributes_to=frozenset({"lock-contention", "pool-exhausted", "cpu-throttled", "goroutine-leak", "handler-blocked-on-dependency", "liveness-checks-dependency"}),
)  # fmt: skip
