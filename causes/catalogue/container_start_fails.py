"""The runtime could not make the sandbox or start the container's command."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="container-start-fails",
    layer="start",
    title=Text("The container runtime cannot start the container"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"event-start-fails", "pod-start-fails", "event-sandbox-fails"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-start-fails", supports=3.6),
        Term("pod-start-fails", supports=3.6),
        Term("event-sandbox-fails", supports=3.2),
        Term("pod-not-started", supports=0.6),
        Term("event-image-pull", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-start-fails": Sentences(supports=Text("The runtime's message says what it could not do.")),
        "pod-start-fails": Sentences(supports=Text("The container waits after a start that failed.")),
        "event-sandbox-fails": Sentences(
            supports=Text("The pod has no sandbox: its network or its image of the pause container failed.")
        ),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
        "event-image-pull": Sentences(
            supports=Text("Its image was pulled."), opposes=Text("Its image cannot be pulled, which is more exact.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-start-fails": False, "pod-start-fails": False, "event-sandbox-fails": False},
            sentence=Text("Every container could be started."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.containers[*].command} {.spec.containers[*].args}'"),
        Text("On the pod's node: journalctl -u containerd --since -15min | tail -50"),
    ),
    references=("https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/",),
)
