"""The node runs out of memory, disk or process ids, and evicts or slows its pods."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="node-pressure",
    layer="infrastructure",
    title=Text("The node is under pressure"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    prior=-2.0,
    needs=frozenset({"node-pressure"}),
    terms=(
        Term("node-pressure", 3.4, Text("The kubelet reports a lack of memory, disk or process ids."),
             -2.8, Text("The kubelet reports no lack of anything.")),
        Term("peers-same-node-fail", 0.8, Text("Other pods of the same node fail too."),
             -0.3, Text("Other pods of the same node are fine.")),
        Term("pod-waiting", 0.3, Text("The pod waits to be started again.")),
        Term("event-failed-mount", 0.3, Text("Volumes could not be mounted.")),
    ),
    exclusions=(
        Exclusion("node-pressure", Text("The kubelet reports no lack of memory, disk or process ids."), seen=False),
    ),
    next_steps=(
        Text("kubectl describe node <node> | grep -A12 'Conditions:'; kubectl get events -A --field-selector reason=Evicted"),
        Text("On the node: df -h; free -m; cat /proc/pressure/memory /proc/pressure/io"),
        Text('sum by (pod) (container_memory_working_set_bytes{node="<node>",container!=""})'),
    ),
    references=("https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",),
    weights_from="The pressure conditions are the kubelet's own statements; the rest is judgement.",
    about=EntityKind.HOST,
)  # fmt: skip
