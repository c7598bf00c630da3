"""The kubelet or the API evicted the pod: its own limit, or the node ran short."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="evicted",
    layer="infrastructure",
    title=Text("The pod was evicted from its node"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The kubelet's and the scheduler's own statements; the rest is judgement.",
    needs=frozenset({"pod-evicted", "event-evicted"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("pod-evicted", supports=3.6),
        Term("event-evicted", supports=3.6),
        Term("node-pressure", supports=0.8),
        Term("pod-oom-killed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-evicted": Sentences(supports=Text("Its own status says so, with the reason.")),
        "event-evicted": Sentences(supports=Text("The kubelet says so itself; its message names what ran short.")),
        "node-pressure": Sentences(supports=Text("Its node was under pressure.")),
        "pod-oom-killed": Sentences(
            supports=Text("It was not killed for memory."), opposes=Text("It was killed for memory.")
        ),
    },
    exclusions=(Exclusion(when={"pod-evicted": False, "event-evicted": False}, sentence=Text("No pod was evicted.")),),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> get pods --field-selector=status.phase=Failed -o wide"),
        Text(
            "Set requests and limits of ephemeral storage and memory to what it uses, or give what it "
            "writes a volume of its own."
        ),
    ),
    references=("https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",),
)
