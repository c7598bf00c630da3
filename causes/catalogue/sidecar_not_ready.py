"""The main container is ready, and one beside it is not."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="sidecar-not-ready",
    layer="application",
    title=Text("Only a side container is not ready"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from="The container's own status; that a side container is not what the pod is for is judgement.",
    needs=frozenset({"pod-sidecar-only"}),
    contributes_to=frozenset({"settings-missing", "container-start-fails"}),
    terms=(
        Term("pod-sidecar-only", supports=3.2),
        Term("kubelet-readiness-failing", supports=0.3),
        Term("event-image-pull", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-crashed", supports=0.1, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("pod-oom-killed", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-sidecar-only": Sentences(
            supports=Text("The container that the pod is for is ready, and the pod counts as not ready.")
        ),
        "kubelet-readiness-failing": Sentences(supports=Text("A readiness probe fails.")),
        "event-image-pull": Sentences(
            supports=Text("Its image was pulled."), opposes=Text("Its image cannot be pulled, which is more exact.")
        ),
        "pod-crashed": Sentences(supports=Text("It did not crash."), opposes=Text("It crashed.")),
        "pod-oom-killed": Sentences(
            supports=Text("It was not killed for memory."),
            opposes=Text("It was killed for memory, which is more exact."),
        ),
    },
    exclusions=(Exclusion(when={"pod-sidecar-only": False}, sentence=Text("It is not only a side container.")),),
    next_steps=(
        Text(
            "kubectl -n <ns> get pod <pod> -o jsonpath='{range .status.containerStatuses[*]}{.name} "
            'ready={.ready} restarts={.restartCount}{"\\n"}{end}\''
        ),
        Text("kubectl -n <ns> logs <pod> --all-containers --prefix --tail=50"),
        Text("If the service works without it, take the side container's readiness out of the pod's."),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/",),
)
