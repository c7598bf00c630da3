"""The image of a container cannot be pulled, so the container was never started."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="image-pull-fails",
    layer="start",
    title=Text("The image cannot be pulled"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's own messages; the rest is judgement.",
    needs=frozenset({"event-image-pull", "pod-image-waits"}),
    terms=(
        Term("event-image-pull", supports=3.8),
        Term("pod-image-waits", supports=3.6),
        Term("pod-not-started", supports=0.6),
        Term("rollout-in-progress", supports=0.4),
        Term("event-backoff", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-image-pull": Sentences(
            supports=Text("The kubelet says so itself; its message names the image and the registry's answer.")
        ),
        "pod-image-waits": Sentences(supports=Text("The container's status gives that as its reason.")),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
        "rollout-in-progress": Sentences(supports=Text("A rollout replaced pods at that time.")),
        "event-backoff": Sentences(
            supports=Text("No container failed after its start."),
            opposes=Text("A container was started and failed, which needs its image."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-image-pull": False, "pod-image-waits": False},
            sentence=Text("No image failed to be pulled."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].image} {.spec.imagePullSecrets}'"),
        Text("On the pod's node: crictl pull <image>"),
    ),
    references=("https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff",),
)
