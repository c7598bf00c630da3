"""Packets between the observer and the pod get lost."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-path-drop",
    layer="network",
    title=Text("Packets dropped on the network path"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-dial-timeout", "event-deadline", "event-grpc-connect", "live-dial-timeout"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No connection until the timeout: dropped somewhere between us and the process."),
             -2.0, Text("Connections were made or refused at once.")),
        Term("probe-peers-fail", 1.2, Text("Other targets fail in the same way at the same time: they share the path."),
             -1.0, Text("Other targets are fine.")),
        Term("probe-tcp-passes", 1.2, Text("A bare TCP connection fails too."),
             -2.2, Text("A TCP connection to the same port passes, so the path is open."), condition=Condition.NOT_SEEN),
        Term("listen-overflows", 0.6, Text("The kernel of the pod dropped nothing."),
             -1.8, Text("The drops happen at the listener, not on the path."), condition=Condition.NOT_SEEN),
        Term("go-process-answers", 1.0, Text("Nothing else reached the process either."),
             -1.0, Text("Another observer reached the process."), condition=Condition.NOT_SEEN),
        Term("event-dial-timeout", 2.2, Text("The kubelet could not connect in time either.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.")),
        Term("tcp-retransmits-high", 0.8, Text("Segments had to be sent again and again."),
             -0.3, Text("Few segments were sent again.")),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too: they share the path.")),
        Term("peers-keep-to-zone", 1.0, Text("Most pods of one zone fail and those of the others do not: they share the path.")),
        Term("live-tcp-connects", 1.2, Text("A connection made just now failed too."),
             -1.0, Text("A connection made just now succeeded."), condition=Condition.NOT_SEEN),
        Term("event-grpc-connect", 1.0, Text("The kubelet could not connect to the gRPC port.")),
        Term("live-dial-timeout", 1.6, Text("A connection tried just now was not made either.")),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("Refused at once: the path is open."), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-app-silent", Text("The connection was made: the path is open."), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-dns-absent", Text("The name did not resolve.")),
    ),
    next_steps=(
        Text("From the observer's node: tcpdump -ni any host <pod-ip> and port <port>"),
        Text("kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count"),
        Text("Probe the same pod from another node."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
    weights_from="Measured on the blackbox exporter: connect stays 0 until the timeout, as it does for a full accept queue and a stalled TLS handshake. So the phase alone is worth the same for all three, and the second witnesses decide. That a whole zone fails weighs as much as a whole node, by judgement, and the two count once: no zone can be cut off on one recorded node.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.HOST}),
)  # fmt: skip
