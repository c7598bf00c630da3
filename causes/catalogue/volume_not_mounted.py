"""A volume cannot be attached or mounted, so no container starts."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="volume-not-mounted",
    layer="start",
    title=Text("A volume cannot be mounted"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"event-failed-mount"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-failed-mount", supports=3.6),
        Term("pod-not-started", supports=0.8),
        Term("pod-crashed", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-liveness-kill", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-failed-mount": Sentences(
            supports=Text("The kubelet says so itself; its message names the volume and the reason.")
        ),
        "pod-not-started": Sentences(supports=Text("The pod never became ready.")),
        "pod-crashed": Sentences(
            supports=Text("No container ran and crashed."),
            opposes=Text("A container ran and crashed, which needs its volumes."),
        ),
        "event-liveness-kill": Sentences(
            supports=Text("No container ran and was killed."),
            opposes=Text("A container ran and was killed, which needs its volumes."),
        ),
    },
    exclusions=(Exclusion(when={"event-failed-mount": False}, sentence=Text("No volume failed to be mounted.")),),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> get pvc,configmap,secret"),
        Text("On the pod's node: journalctl -u kubelet --since -15min | grep -iE 'mount|attach'"),
    ),
    references=("https://kubernetes.io/docs/concepts/storage/persistent-volumes/",),
)
