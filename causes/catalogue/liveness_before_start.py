"""Without a startup probe liveness begins while the process still starts, and kills it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="liveness-before-start",
    layer="start",
    title=Text("Liveness kills what is still starting"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    terms=(
        Term("spec-no-startup-probe", 1.6, Text("There is no startup probe that would hold liveness back."),
             -2.2, Text("A startup probe holds liveness back.")),
        Term("event-liveness-kill", 1.8, Text("The kubelet ended the container because of liveness."),
             -1.6, Text("The kubelet ended no container because of liveness.")),
        Term("kubelet-liveness-failing", 1.4, Text("Liveness fails."),
             -2.0, Text("Liveness does not fail.")),
        Term("pod-constant-age-restarts", 1.8, Text("Restarts come at a constant age: initialDelaySeconds + failureThreshold x periodSeconds."),
             -0.8, Text("Restarts do not come at a constant age.")),
        Term("pod-not-started", 1.2, Text("The container was never ready."),
             -1.2, Text("The container had been ready.")),
        Term("pod-young", 0.8, Text("It fails in the first moments of its life."),
             -1.0, Text("The container had been running for long.")),
        Term("kubelet-startup-failing", 0.2, Text("No startup probe failed."),
             -1.5, Text("The startup probe fails, so liveness has not begun."), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("It did not crash by itself."),
             -0.6, Text("It crashed by itself."), condition=Condition.NOT_SEEN),
        Term("spec-liveness-stricter", 0.4, Text("Liveness is stricter than readiness.")),
    ),
    exclusions=(
        Exclusion("spec-no-startup-probe", Text("A startup probe holds liveness back until the start is over."), seen=False),
        Exclusion("pod-restarted", Text("Nothing was restarted."), seen=False, also=(("kubelet-liveness-failing", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod>,reason=Killing"),
        Text("Add a startupProbe on the same route: periodSeconds 2, failureThreshold 30 gives a minute; raise it above the measured start."),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].livenessProbe}'"),
    ),
    references=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes",),
    weights_from="Kubelet source: liveness is compared with the container's start on each tick and kills after failureThreshold failures. Weights are judgement.",
)  # fmt: skip
