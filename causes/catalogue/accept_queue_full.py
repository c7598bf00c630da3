"""The process does not accept; the kernel drops new connections."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="accept-queue-full",
    layer="application",
    title=Text("Accept queue full"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    weights_from=(
        "Recorded fault (a process that stopped accepting, listen queue of one): transport timeout and listen "
        "overflows; the rest is judgement, kept below one nat."
    ),
    needs=frozenset(
        {"probe-transport-timeout", "event-dial-timeout", "event-deadline", "listen-overflows", "live-dial-timeout"}
    ),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("probe-transport-timeout", supports=2.2, opposes=-2.0),
        Term("listen-overflows", supports=3.0, opposes=-2.5),
        Term("probe-peers-fail", supports=0.1, opposes=-0.9, when=Condition.NOT_SEEN),
        Term("probe-https", supports=0.1, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("probe-tcp-passes", supports=0.6, opposes=-0.3, when=Condition.NOT_SEEN),
        Term("go-goroutines-rising", supports=0.4),
        Term("event-dial-timeout", supports=2.2),
        Term("event-deadline", supports=0.8),
        Term("go-process-answers", supports=0.6, opposes=-0.5),
        Term("probe-connect-slow", supports=1.0),
        Term("live-dial-timeout", supports=1.6),
    ),
    sentences={
        "probe-connect-slow": Sentences(
            supports=Text(
                "Connections are made only after a packet was sent again, as to a queue that is full at times."
            )
        ),
        "probe-transport-timeout": Sentences(
            supports=Text("No connection until the timeout: dropped somewhere between us and the process."),
            opposes=Text("Connections were made or refused at once."),
        ),
        "listen-overflows": Sentences(
            supports=Text("The kernel counted dropped connections: the process does not accept."),
            opposes=Text("The kernel dropped no connection at a full queue."),
        ),
        "probe-peers-fail": Sentences(
            supports=Text("Only this target fails."),
            opposes=Text("Other targets fail alike, a queue belongs to one process."),
        ),
        "probe-https": Sentences(
            supports=Text("The target is plain http: no handshake of TLS hides in it."),
            opposes=Text("The target is https: its handshake may have stalled instead."),
        ),
        "probe-tcp-passes": Sentences(
            supports=Text("A TCP connection fails as well."),
            opposes=Text("TCP passes; the queue had room for it."),
        ),
        "go-goroutines-rising": Sentences(supports=Text("Work piles up in the process.")),
        "event-dial-timeout": Sentences(supports=Text("The kubelet could not connect in time either.")),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "go-process-answers": Sentences(
            supports=Text("Another listener of the process answers: the path is open, this queue is full."),
            opposes=Text("No other listener of the process answers either."),
        ),
        "live-dial-timeout": Sentences(supports=Text("A connection tried just now was not made either.")),
    },
    exclusions=(
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
            sentence=Text("Refused at once: a full queue drops, it does not refuse."),
        ),
        Exclusion(
            when={"probe-dns-absent": True},
            sentence=Text("The name did not resolve."),
        ),
    ),
    next_steps=(
        Text("In the pod: ss -ltn (Recv-Q at Send-Q means a full queue)"),
        Text("nsenter -t <pid> -n nstat -az TcpExtListenOverflows TcpExtListenDrops"),
        Text("rate(node_netstat_TcpExt_ListenOverflows[5m])"),
    ),
    references=("https://man7.org/linux/man-pages/man2/listen.2.html",),
)
