"""A container that runs before the others fails or never ends."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="init-container-stuck",
    layer="start",
    title=Text("An init container holds the pod back"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"pod-init-stuck"}),
    terms=(
        Term("pod-init-stuck", supports=3.8),
        Term("pod-not-started", supports=0.6),
        Term("event-image-pull", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-init-stuck": Sentences(supports=Text("The other containers start only after it has ended well.")),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
        "event-image-pull": Sentences(
            supports=Text("Its image was pulled."), opposes=Text("Its image cannot be pulled, which is more exact.")
        ),
    },
    exclusions=(Exclusion(when={"pod-init-stuck": False}, sentence=Text("No init container holds the pod back.")),),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --all-containers --prefix --tail=50"),
        Text(
            "kubectl -n <ns> get pod <pod> -o jsonpath='{range "
            '.status.initContainerStatuses[*]}{.name} {.state}{"\\n"}{end}\''
        ),
        Text("Give what it waits for, or bound how long it waits, so that it fails with a reason."),
    ),
    references=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-init-containers/",),
)
