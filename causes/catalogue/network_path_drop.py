"""Packets between the observer and the pod get lost."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="network-path-drop",
    layer="network",
    title=Text("Packets dropped on the network path", "网络路径丢包"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No connection until the timeout: dropped somewhere between us and the process.", "直到超时都未建立连接：在到达进程前被丢弃。"),
             -2.0, Text("Connections were made or refused at once.", "连接已建立或立即被拒绝。")),
        Term("probe-peers-fail", 1.8, Text("Other targets fail in the same way at the same time: they share the path.", "其他目标同时以相同方式失败：它们共享路径。"),
             -1.0, Text("Other targets are fine.", "其他目标正常。")),
        Term("probe-tcp-passes", 1.2, Text("A bare TCP connection fails too.", "单纯的 TCP 连接也失败。"),
             -2.2, Text("A TCP connection to the same port passes, so the path is open.", "同一端口 TCP 成功，路径是通的。"), condition=Condition.NOT_SEEN),
        Term("listen-overflows", 0.6, Text("The kernel of the pod dropped nothing.", "Pod 所在内核没有丢弃。"),
             -1.8, Text("The drops happen at the listener, not on the path.", "丢弃发生在监听端，而非路径上。"), condition=Condition.NOT_SEEN),
        Term("go-process-answers", 1.0, Text("Nothing else reached the process either.", "其他观察者同样无法到达进程。"),
             -0.8, Text("Another observer reached the process.", "其他观察者能到达进程。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("Refused at once: the path is open.", "立即被拒绝：路径是通的。")),
        Exclusion("probe-app-silent", Text("The connection was made: the path is open.", "连接已建立：路径是通的。"), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-dns-absent", Text("The name did not resolve.", "域名未解析。")),
    ),
    next_steps=(
        Text("From the observer's node: tcpdump -ni any host <pod-ip> and port <port>", "在观察者节点上：tcpdump -ni any host <pod-ip> and port <port>"),
        Text("kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count", "kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count"),
        Text("Probe the same pod from another node.", "从另一节点探测同一 Pod。"),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
)  # fmt: skip
