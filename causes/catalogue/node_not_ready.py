"""The node under the pods is not ready."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="node-not-ready",
    layer="infrastructure",
    title=Text("The node is not ready"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    prior=-2.0,
    needs=frozenset({"node-not-ready"}),
    terms=(
        Term("node-not-ready", 3.6, Text("The control plane says so of the node."),
             -2.8, Text("The node was ready throughout.")),
        Term("peers-same-node-fail", 1.2, Text("Other pods of the same node fail too."),
             -0.6, Text("Other pods of the same node are fine.")),
        Term("peers-other-zones-fail", 0.2, Text("No other zone is affected."),
             -0.8, Text("One node does not explain what fails in other zones."), condition=Condition.NOT_SEEN, group="other zones"),
        Term("go-process-answers", 0.4, Text("The process did not answer its scrapes either."),
             -0.3, Text("The process went on answering its scrapes."), condition=Condition.NOT_SEEN),
        Term("event-unreachable", 0.4, Text("There was no way to the address.")),
    ),
    exclusions=(
        Exclusion("node-not-ready", Text("The node was ready throughout."), seen=False),
    ),
    next_steps=(
        Text("kubectl describe node <node> | sed -n '/Conditions/,/Addresses/p'"),
        Text("On the node: systemctl status kubelet containerd; journalctl -u kubelet --since -30min | tail -100"),
        Text('kube_node_status_condition{condition="Ready",status="true"} == 0'),
    ),
    references=("https://kubernetes.io/docs/concepts/architecture/nodes/#condition",),
    weights_from="The node's condition is a statement of the control plane (40 s without a heartbeat by default); the rest is judgement. Other zones that are well say little, since they are so for most causes; other zones that fail are not this node's doing.",
    about=EntityKind.HOST,
)  # fmt: skip
