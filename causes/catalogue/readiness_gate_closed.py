"""All containers are ready, and a condition that something outside sets is not."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="readiness-gate-closed",
    layer="infrastructure",
    title=Text("A readiness gate holds the pod back"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"pod-gate-closed"}),
    terms=(
        Term("pod-gate-closed", supports=3.8),
        Term("kubelet-readiness-failing", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-gate-closed": Sentences(
            supports=Text("Its containers are ready; a controller outside has not confirmed the pod yet.")
        ),
        "kubelet-readiness-failing": Sentences(
            supports=Text("Its readiness probe does not fail."), opposes=Text("Its readiness probe fails too.")
        ),
    },
    exclusions=(Exclusion(when={"pod-gate-closed": False}, sentence=Text("No readiness gate holds the pod back.")),),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.readinessGates} {.status.conditions}'"),
        Text("Find the controller that sets the condition (a load balancer's, for target health), and read its log."),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate",),
)
