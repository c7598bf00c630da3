"""The node under the pods is not ready."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="node-not-ready",
    layer="infrastructure",
    title=Text("The node is not ready"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    about=EntityKind.HOST,
    prior=-2.0,
    weights_from=(
        "The node's condition is a statement of the control plane (40 s without a heartbeat by default); the rest is "
        "judgement. Other zones that are well say little, since they are so for most causes; other zones that fail are "
        "not this node's doing."
    ),
    needs=frozenset({"node-not-ready"}),
    terms=(
        Term("node-not-ready", supports=3.6, opposes=-2.8),
        Term("peers-same-node-fail", supports=1.2, opposes=-0.6),
        Term("peers-other-zones-fail", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN, group="other zones"),
        Term("go-process-answers", supports=0.4, opposes=-0.3, when=Condition.NOT_SEEN),
        Term("event-unreachable", supports=0.4),
    ),
    sentences={
        "node-not-ready": Sentences(
            supports=Text("The control plane says so of the node."),
            opposes=Text("The node was ready throughout."),
        ),
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node fail too."),
            opposes=Text("Other pods of the same node are fine."),
        ),
        "peers-other-zones-fail": Sentences(
            supports=Text("No other zone is affected."),
            opposes=Text("One node does not explain what fails in other zones."),
        ),
        "go-process-answers": Sentences(
            supports=Text("The process did not answer its scrapes either."),
            opposes=Text("The process went on answering its scrapes."),
        ),
        "event-unreachable": Sentences(supports=Text("There was no way to the address.")),
    },
    exclusions=(
        Exclusion(
            when={"node-not-ready": False},
            sentence=Text("The node was ready throughout."),
        ),
    ),
    next_steps=(
        Text("kubectl describe node <node> | sed -n '/Conditions/,/Addresses/p'"),
        Text("On the node: systemctl status kubelet containerd; journalctl -u kubelet --since -30min | tail -100"),
        Text('kube_node_status_condition{condition="Ready",status="true"} == 0'),
    ),
    references=("https://kubernetes.io/docs/concepts/architecture/nodes/#condition",),
)
