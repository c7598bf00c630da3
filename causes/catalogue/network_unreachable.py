"""The network says at once that there is no way to the address."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-unreachable",
    layer="network",
    title=Text("No route to the pod"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "The message is the kernel's own answer to the connection attempt (EHOSTUNREACH, ENETUNREACH); the rest is "
        "judgement, at most one nat; a whole zone weighs as much as a whole node, and the two count once."
    ),
    needs=frozenset({"event-unreachable", "live-unreachable", "probe-refused"}),
    may_follow=frozenset({EntityKind.HOST}),
    terms=(
        Term("event-unreachable", supports=3.6, opposes=-1.0),
        Term("live-unreachable", supports=3.6),
        Term("go-process-answers", supports=0.6, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("peers-same-node-fail", supports=1.0),
        Term("peers-keep-to-zone", supports=1.0),
        Term("probe-refused", supports=0.8),
        Term("pod-restarted", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-unreachable": Sentences(
            supports=Text("The kubelet was told that there is no route: routing, neighbour table or network plug-in."),
            opposes=Text("Nobody was told that there is no route."),
        ),
        "live-unreachable": Sentences(supports=Text("A connection tried just now was told that there is no route.")),
        "go-process-answers": Sentences(
            supports=Text("No other observer reached the process either."),
            opposes=Text("Another observer reached the process."),
        ),
        "peers-same-node-fail": Sentences(supports=Text("Other pods of the same node fail too: they share the way.")),
        "peers-keep-to-zone": Sentences(
            supports=Text("Most pods of one zone fail and those of the others do not: they share the way.")
        ),
        "probe-refused": Sentences(supports=Text("The probe ended at once without a connection.")),
        "pod-restarted": Sentences(
            supports=Text("Nothing was restarted, so the address did not move."),
            opposes=Text("It was restarted meanwhile."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-over-loopback": True},
            sentence=Text("The probe asked over loopback, which crosses no network."),
        ),
        Exclusion(
            when={"spec-over-loopback": True, "event-deadline": True},
            sentence=Text("The probe asked over loopback, which crosses no network."),
        ),
        Exclusion(
            when={"spec-over-loopback": True, "event-dial-timeout": True},
            sentence=Text("The probe asked over loopback, which crosses no network."),
        ),
        Exclusion(
            when={"probe-app-silent": True, "event-unreachable": False},
            sentence=Text("The connection was made: there is a way."),
        ),
    ),
    next_steps=(
        Text("On the pod's node: ip route get <pod-ip>; ip neigh show <pod-ip>"),
        Text("kubectl -n kube-system get pods -o wide | grep -E 'calico|cilium|flannel|kube-proxy'"),
        Text("iptables-save | grep -E 'REJECT|<pod-ip>'"),
    ),
    references=(
        "https://man7.org/linux/man-pages/man2/connect.2.html",
        "https://kubernetes.io/docs/concepts/cluster-administration/networking/",
    ),
)
