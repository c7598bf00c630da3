"""Packets between the observer and the pod get lost."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-path-drop",
    layer="network",
    title=Text("Packets dropped on the network path"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    weights_from=(
        "Measured on the blackbox exporter: connect stays 0 until the timeout, as it does for a full accept queue and "
        "a stalled TLS handshake. So the phase alone is worth the same for all three, and the second witnesses decide. "
        "That a whole zone fails weighs as much as a whole node, by judgement, and the two count once: no zone can be "
        "cut off on one recorded node."
    ),
    needs=frozenset(
        {
            "probe-transport-timeout",
            "event-dial-timeout",
            "event-deadline",
            "event-grpc-connect",
            "live-dial-timeout",
            "event-read-timeout",
            "probe-connect-slow",
        }
    ),
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.HOST}),
    terms=(
        Term("probe-transport-timeout", supports=2.2, opposes=-2.0),
        Term("probe-peers-fail", supports=1.2, opposes=-0.4),
        Term("probe-https", supports=0.1, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("probe-tcp-passes", supports=1.2, opposes=-2.2, when=Condition.NOT_SEEN),
        Term("listen-overflows", supports=0.6, opposes=-1.8, when=Condition.NOT_SEEN),
        Term("go-process-answers", supports=1.0, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("event-dial-timeout", supports=2.2),
        Term("event-deadline", supports=0.8),
        Term("tcp-retransmits-high", supports=0.8, opposes=-0.3),
        Term("peers-same-node-fail", supports=1.0),
        Term("peers-keep-to-zone", supports=1.0),
        Term("probe-connect-slow", supports=2.0),
        Term("live-tcp-connects", supports=1.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("event-grpc-connect", supports=1.0),
        Term("live-dial-timeout", supports=1.6),
        Term("event-read-timeout", supports=2.2),
    ),
    sentences={
        "probe-transport-timeout": Sentences(
            supports=Text("No connection until the timeout: dropped somewhere between us and the process."),
            opposes=Text("Connections were made or refused at once."),
        ),
        "probe-peers-fail": Sentences(
            supports=Text("Other targets fail in the same way at the same time: they share the path."),
            opposes=Text("Other targets are fine."),
        ),
        "probe-https": Sentences(
            supports=Text("The target is plain http: no handshake of TLS hides in it."),
            opposes=Text("The target is https: its handshake may have stalled instead."),
        ),
        "probe-tcp-passes": Sentences(
            supports=Text("A bare TCP connection fails too."),
            opposes=Text("A TCP connection to the same port passes, so the path is open."),
        ),
        "listen-overflows": Sentences(
            supports=Text("The kernel of the pod dropped nothing."),
            opposes=Text("The drops happen at the listener, not on the path."),
        ),
        "go-process-answers": Sentences(
            supports=Text("Nothing else reached the process either."),
            opposes=Text("Another observer reached the process."),
        ),
        "event-dial-timeout": Sentences(supports=Text("The kubelet could not connect in time either.")),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "tcp-retransmits-high": Sentences(
            supports=Text("Segments had to be sent again and again."),
            opposes=Text("Few segments were sent again."),
        ),
        "peers-same-node-fail": Sentences(supports=Text("Other pods of the same node fail too: they share the path.")),
        "peers-keep-to-zone": Sentences(
            supports=Text("Most pods of one zone fail and those of the others do not: they share the path.")
        ),
        "probe-connect-slow": Sentences(
            supports=Text("Connections are made only after a packet was sent again, as on a path that loses some.")
        ),
        "live-tcp-connects": Sentences(
            supports=Text("A connection made just now failed too."),
            opposes=Text("A connection made just now succeeded."),
        ),
        "event-grpc-connect": Sentences(supports=Text("The kubelet could not connect to the gRPC port.")),
        "live-dial-timeout": Sentences(supports=Text("A connection tried just now was not made either.")),
        "event-read-timeout": Sentences(
            supports=Text("The kubelet was connected, and then nothing that it sent was acknowledged any more.")
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
            when={"event-exec-timeout": True, "event-deadline": False, "event-dial-timeout": False},
            sentence=Text("The probe is a command in the container, which asks no port."),
        ),
        Exclusion(
            when={"spec-only-exec": True, "event-deadline": True},
            sentence=Text("The probe is a command in the container, which asks no port."),
        ),
        Exclusion(
            when={"probe-refused": True, "probe-transport-timeout": False},
            sentence=Text("Refused at once: the path is open."),
        ),
        Exclusion(
            when={"probe-app-silent": True, "probe-transport-timeout": False},
            sentence=Text("The connection was made: the path is open."),
        ),
        Exclusion(
            when={"probe-dns-absent": True},
            sentence=Text("The name did not resolve."),
        ),
    ),
    next_steps=(
        Text("From the observer's node: tcpdump -ni any host <pod-ip> and port <port>"),
        Text("kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count"),
        Text("Probe the same pod from another node."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
)
