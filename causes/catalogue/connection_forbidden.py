"""The node's kernel forbids the connection: a policy, a firewall or a sandbox."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="connection-forbidden",
    layer="network",
    title=Text("A policy forbids the connection"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "The message is the kernel's own answer to the connection attempt (EPERM, EACCES), which a program attached to "
        "sockets or a sandbox gives; a dropped packet does not. The rest is judgement."
    ),
    needs=frozenset({"event-forbidden", "live-forbidden"}),
    terms=(
        Term("event-forbidden", supports=3.8),
        Term("live-forbidden", supports=3.8),
        Term("peers-same-node-fail", supports=1.0),
        Term("change-before", supports=0.4),
    ),
    sentences={
        "event-forbidden": Sentences(
            supports=Text("The kernel did not even let the kubelet connect: a policy of the node, no dropped packet.")
        ),
        "live-forbidden": Sentences(supports=Text("The kernel did not let a connection be tried just now.")),
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node fail too: they share the policy.")
        ),
        "change-before": Sentences(supports=Text("Something was changed before.")),
    },
    exclusions=(
        Exclusion(
            when={"event-forbidden": False, "live-forbidden": False},
            sentence=Text("Nobody was told that the connection is not permitted."),
        ),
    ),
    next_steps=(
        Text("kubectl get networkpolicy -A; kubectl get ciliumnetworkpolicies,ciliumclusterwidenetworkpolicies -A"),
        Text("On the pod's node: bpftool cgroup tree; iptables-save | grep -E 'REJECT|<pod-ip>'"),
        Text("Was the kubelet, or what confines it, changed on this node? Compare with another node."),
    ),
    references=("https://man7.org/linux/man-pages/man2/connect.2.html",),
)
