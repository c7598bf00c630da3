"""The process does not accept; the kernel drops new connections."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="accept-queue-full",
    layer="application",
    title=Text("Accept queue full", "accept 队列已满"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-dial-timeout", "event-deadline", "listen-overflows", "live-dial-timeout"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No connection until the timeout: dropped somewhere between us and the process.", "直到超时都未建立连接：在到达进程前被丢弃。"),
             -2.0, Text("Connections were made or refused at once.", "连接已建立或立即被拒绝。")),
        Term("listen-overflows", 3.0, Text("The kernel counted dropped connections: the process does not accept.", "内核记录到丢弃的连接：进程没有 accept。"),
             -2.5, Text("The kernel dropped no connection at a full queue.", "内核没有因队列满而丢弃连接。")),
        Term("probe-peers-fail", 0.4, Text("Only this target fails.", "仅此目标失败。"),
             -0.9, Text("Other targets fail alike, a queue belongs to one process.", "其他目标同样失败，而队列只属于一个进程。"), condition=Condition.NOT_SEEN),
        Term("probe-tcp-passes", 0.6, Text("A TCP connection fails as well.", "TCP 连接同样失败。"),
             -0.3, Text("TCP passes; the queue had room for it.", "TCP 成功，队列当时有空位。"), condition=Condition.NOT_SEEN),
        Term("go-goroutines-rising", 0.4, Text("Work piles up in the process.", "进程内工作堆积。")),
        Term("event-dial-timeout", 2.2, Text("The kubelet could not connect in time either.", "kubelet 同样未能及时建立连接。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("go-process-answers", 0.6, Text("Another listener of the process answers: the path is open, this queue is full.", "进程的另一监听有应答：网络畅通，是该队列已满。"),
             -0.5, Text("No other listener of the process answers either.", "进程的其他监听同样无应答。")),
        Term("live-dial-timeout", 1.6, Text("A connection tried just now was not made either.", "刚才的连接尝试同样未建立。")),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("Refused at once: a full queue drops, it does not refuse.", "立即被拒绝：队列满表现为丢弃而非拒绝。"), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-dns-absent", Text("The name did not resolve.", "域名未解析。")),
    ),
    next_steps=(
        Text("In the pod: ss -ltn (Recv-Q at Send-Q means a full queue)", "在 Pod 内：ss -ltn（Recv-Q 达到 Send-Q 即队列已满）"),
        Text("nsenter -t <pid> -n nstat -az TcpExtListenOverflows TcpExtListenDrops", "nsenter -t <pid> -n nstat -az TcpExtListenOverflows TcpExtListenDrops"),
        Text("rate(node_netstat_TcpExt_ListenOverflows[5m])", "rate(node_netstat_TcpExt_ListenOverflows[5m])"),
    ),
    references=("https://man7.org/linux/man-pages/man2/listen.2.html",),
    weights_from="Recorded fault (a process that stopped accepting, listen queue of one): transport timeout and listen overflows; the rest is judgement, kept below one nat.",
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
)  # fmt: skip
