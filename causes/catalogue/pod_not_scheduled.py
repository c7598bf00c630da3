"""The scheduler finds no node for the pod."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="pod-not-scheduled",
    layer="start",
    title=Text("No node has room for the pod"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"pod-unschedulable", "event-not-scheduled"}),
    terms=(
        Term("pod-unschedulable", supports=3.8),
        Term("event-not-scheduled", supports=3.4),
        Term("pod-not-started", supports=0.6),
    ),
    sentences={
        "pod-unschedulable": Sentences(supports=Text("The scheduler says so itself, with its reasons.")),
        "event-not-scheduled": Sentences(supports=Text("The scheduler says so itself, with its reasons.")),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
    },
    exclusions=(
        Exclusion(
            when={"pod-unschedulable": False, "event-not-scheduled": False}, sentence=Text("The pod was scheduled.")
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text(
            "kubectl get nodes -o "
            "custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu,MEMORY:.status.allocatable.memory,TAINTS:.spec.taintsKeys"
        ),
        Text(
            "Lower the requests, add a node, or correct the selector, the affinity or the toleration "
            "that the message counts."
        ),
    ),
    references=("https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/",),
)
