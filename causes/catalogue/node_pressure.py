"""The node runs out of memory, disk or process ids, and evicts or slows its pods."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="node-pressure",
    layer="infrastructure",
    title=Text("The node is under pressure"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    about=EntityKind.HOST,
    prior=-2.0,
    weights_from="The pressure conditions are the kubelet's own statements; the rest is judgement.",
    needs=frozenset({"node-pressure"}),
    terms=(
        Term("node-pressure", supports=3.4, opposes=-2.8),
        Term("peers-same-node-fail", supports=0.8, opposes=-0.3),
        Term("pod-waiting", supports=0.3),
        Term("event-failed-mount", supports=0.3),
    ),
    sentences={
        "node-pressure": Sentences(
            supports=Text("The kubelet reports a lack of memory, disk or process ids."),
            opposes=Text("The kubelet reports no lack of anything."),
        ),
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node fail too."),
            opposes=Text("Other pods of the same node are fine."),
        ),
        "pod-waiting": Sentences(supports=Text("The pod waits to be started again.")),
        "event-failed-mount": Sentences(supports=Text("Volumes could not be mounted.")),
    },
    exclusions=(
        Exclusion(
            when={"node-pressure": False},
            sentence=Text("The kubelet reports no lack of memory, disk or process ids."),
        ),
    ),
    next_steps=(
        Text(
            "kubectl describe node <node> | grep -A12 'Conditions:'; kubectl get events -A --field-selector "
            "reason=Evicted"
        ),
        Text("On the node: df -h; free -m; cat /proc/pressure/memory /proc/pressure/io"),
        Text('sum by (pod) (container_memory_working_set_bytes{node="<node>",container!=""})'),
    ),
    references=("https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",),
)
