"""The network says at once that there is no way to the address."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-unreachable",
    layer="network",
    title=Text("No route to the pod"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-unreachable", "probe-refused"}),
    terms=(
        Term("event-unreachable", 3.6, Text("The kubelet was told that there is no route: routing, neighbour table or network plug-in."),
             -1.0, Text("Nobody was told that there is no route.")),
        Term("go-process-answers", 0.6, Text("No other observer reached the process either."),
             -0.6, Text("Another observer reached the process."), condition=Condition.NOT_SEEN),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too: they share the way.")),
        Term("peers-keep-to-zone", 1.0, Text("Most pods of one zone fail and those of the others do not: they share the way.")),
        Term("probe-refused", 0.8, Text("The probe ended at once without a connection.")),
        Term("pod-restarted", 0.2, Text("Nothing was restarted, so the address did not move."),
             -0.8, Text("It was restarted meanwhile."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-app-silent", Text("The connection was made: there is a way."), also=(("event-unreachable", False),)),
    ),
    next_steps=(
        Text("On the pod's node: ip route get <pod-ip>; ip neigh show <pod-ip>"),
        Text("kubectl -n kube-system get pods -o wide | grep -E 'calico|cilium|flannel|kube-proxy'"),
        Text("iptables-save | grep -E 'REJECT|<pod-ip>'"),
    ),
    references=("https://man7.org/linux/man-pages/man2/connect.2.html", "https://kubernetes.io/docs/concepts/cluster-administration/networking/"),
    weights_from="The message is the kernel's own answer to the connection attempt (EHOSTUNREACH, ENETUNREACH); the rest is judgement, at most one nat; a whole zone weighs as much as a whole node, and the two count once.",
    may_follow=frozenset({EntityKind.HOST}),
)  # fmt: skip
