"""The process does not accept; the kernel drops new connections."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="accept-queue-full",
    layer="application",
    title=Text("Accept queue full"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-dial-timeout", "event-deadline", "listen-overflows", "live-dial-timeout"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No connection until the timeout: dropped somewhere between us and the process."),
             -2.0, Text("Connections were made or refused at once.")),
        Term("listen-overflows", 3.0, Text("The kernel counted dropped connections: the process does not accept."),
             -2.5, Text("The kernel dropped no connection at a full queue.")),
        Term("probe-peers-fail", 0.4, Text("Only this target fails."),
             -0.9, Text("Other targets fail alike, a queue belongs to one process."), condition=Condition.NOT_SEEN),
        Term("probe-tcp-passes", 0.6, Text("A TCP connection fails as well."),
             -0.3, Text("TCP passes; the queue had room for it."), condition=Condition.NOT_SEEN),
        Term("go-goroutines-rising", 0.4, Text("Work piles up in the process.")),
        Term("event-dial-timeout", 2.2, Text("The kubelet could not connect in time either.")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.")),
        Term("go-process-answers", 0.6, Text("Another listener of the process answers: the path is open, this queue is full."),
             -0.5, Text("No other listener of the process answers either.")),
        Term("live-dial-timeout", 1.6, Text("A connection tried just now was not made either.")),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("Refused at once: a full queue drops, it does not refuse."), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-dns-absent", Text("The name did not resolve.")),
    ),
    next_steps=(
        Text("In the pod: ss -ltn (Recv-Q at Send-Q means a full queue)"),
        Text("nsenter -t <pid> -n nstat -az TcpExtListenOverflows TcpExtListenDrops"),
        Text("rate(node_netstat_TcpExt_ListenOverflows[5m])"),
    ),
    references=("https://man7.org/linux/man-pages/man2/listen.2.html",),
    weights_from="Recorded fault (a process that stopped accepting, listen queue of one): transport timeout and listen overflows; the rest is judgement, kept below one nat.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
