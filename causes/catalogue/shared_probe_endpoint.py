"""Liveness and readiness ask the same route, so what should only take the pod out of service kills it."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="shared-probe-endpoint",
    layer="probe settings",
    title=Text("Liveness and readiness share a route"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.4,
    weights_from=(
        "Judgement on the spec and on both probe kinds failing together; needs restarts or failing liveness, because a "
        "shared route alone harms nobody."
    ),
    needs=frozenset({"spec-shared-endpoint", "kubelet-probes-fail-together"}),
    contributes_to=frozenset(
        {
            "lock-contention",
            "pool-exhausted",
            "cpu-throttled",
            "goroutine-leak",
            "handler-blocked-on-dependency",
            "liveness-checks-dependency",
        }
    ),
    terms=(
        Term("spec-shared-endpoint", supports=2.2, opposes=-2.5),
        Term("kubelet-probes-fail-together", supports=1.6, opposes=-1.2),
        Term("event-liveness-kill", supports=1.6, opposes=-1.0),
        Term("kubelet-liveness-failing", supports=0.8, opposes=-1.2),
        Term("pod-restarted", supports=0.8, opposes=-0.6, group="kills"),
        Term("probe-app-silent", supports=0.6),
        Term("event-deadline", supports=0.4),
        Term("go-goroutines-rising", supports=0.4),
    ),
    sentences={
        "spec-shared-endpoint": Sentences(
            supports=Text("The spec gives both probes the same path and port."),
            opposes=Text("Each probe has a route of its own."),
        ),
        "kubelet-probes-fail-together": Sentences(
            supports=Text("Both kinds of probe fail at the same time."),
            opposes=Text("They do not fail together."),
        ),
        "event-liveness-kill": Sentences(
            supports=Text("The kubelet ended the container because of liveness."),
            opposes=Text("The kubelet ended no container because of liveness."),
        ),
        "kubelet-liveness-failing": Sentences(
            supports=Text("Liveness fails as well."),
            opposes=Text("Liveness does not fail."),
        ),
        "pod-restarted": Sentences(
            supports=Text("Restarts follow."),
            opposes=Text("Nothing was restarted yet."),
        ),
        "probe-app-silent": Sentences(supports=Text("The shared route does not answer.")),
        "event-deadline": Sentences(supports=Text("The kubelet waited for headers in vain.")),
        "go-goroutines-rising": Sentences(supports=Text("Probes themselves pile up behind the block.")),
    },
    exclusions=(
        Exclusion(
            when={"spec-shared-endpoint": False},
            sentence=Text("Each probe has a route of its own."),
        ),
        Exclusion(
            when={"kubelet-liveness-failing": False, "pod-restarted": False},
            sentence=Text("Liveness did not fail, so sharing the route did no harm."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A6 -E 'livenessProbe|readinessProbe'"),
        Text(
            "Give liveness a route that only says that the process runs, for example /livez, and leave dependencies to "
            "/readyz."
        ),
        Text("Until then raise the liveness probe's failureThreshold, so that a slow minute does not restart pods."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
)
