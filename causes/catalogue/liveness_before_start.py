"""Without a startup probe liveness begins while the process still starts, and kills it."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="liveness-before-start",
    layer="start",
    title=Text("Liveness kills what is still starting"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Kubelet source: liveness is compared with the container's start on each tick and kills after failureThreshold "
        "failures. Weights are judgement."
    ),
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    terms=(
        Term("spec-no-startup-probe", supports=1.6, opposes=-2.2),
        Term("event-liveness-kill", supports=1.8, opposes=-1.6),
        Term("kubelet-liveness-failing", supports=1.4, opposes=-2.0),
        Term("pod-constant-age-restarts", supports=1.8, opposes=-0.8),
        Term("pod-not-started", supports=1.2, opposes=-1.2),
        Term("pod-young", supports=0.8, opposes=-1.0),
        Term("kubelet-startup-failing", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-crashed", supports=0.2, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("spec-liveness-stricter", supports=0.4),
        Term("rollout-changed-probe", supports=1.4),
    ),
    sentences={
        "spec-no-startup-probe": Sentences(
            supports=Text("There is no startup probe that would hold liveness back."),
            opposes=Text("No liveness probe acts during the start."),
        ),
        "event-liveness-kill": Sentences(
            supports=Text("The kubelet ended the container because of liveness."),
            opposes=Text("The kubelet ended no container because of liveness."),
        ),
        "kubelet-liveness-failing": Sentences(
            supports=Text("Liveness fails."),
            opposes=Text("Liveness does not fail."),
        ),
        "pod-constant-age-restarts": Sentences(
            supports=Text("Restarts come at a constant age: initialDelaySeconds + failureThreshold x periodSeconds."),
            opposes=Text("Restarts do not come at a constant age."),
        ),
        "pod-not-started": Sentences(
            supports=Text("The container was never ready."),
            opposes=Text("The container had been ready."),
        ),
        "pod-young": Sentences(
            supports=Text("It fails in the first moments of its life."),
            opposes=Text("The container had been running for long."),
        ),
        "kubelet-startup-failing": Sentences(
            supports=Text("No startup probe failed."),
            opposes=Text("The startup probe fails, so liveness has not begun."),
        ),
        "pod-crashed": Sentences(
            supports=Text("It did not crash by itself."),
            opposes=Text("It crashed by itself."),
        ),
        "spec-liveness-stricter": Sentences(supports=Text("Liveness is stricter than readiness.")),
        "rollout-changed-probe": Sentences(supports=Text("The rollout changed how the container is probed.")),
    },
    exclusions=(
        Exclusion(
            when={"spec-no-startup-probe": False},
            sentence=Text("No liveness probe acts during the start: there is none, or a startup probe holds it back."),
        ),
        Exclusion(
            when={"pod-not-started": False, "pod-young": False},
            sentence=Text("The container had been ready and running for long: it was not starting any more."),
        ),
        Exclusion(
            when={"pod-restarted": False, "kubelet-liveness-failing": False},
            sentence=Text("Nothing was restarted."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector involvedObject.name=<pod>,reason=Killing"),
        Text(
            "Add a startupProbe on the same route: periodSeconds 2, failureThreshold 30 gives a minute; raise it above "
            "the measured start."
        ),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].livenessProbe}'"),
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes",
    ),
)
