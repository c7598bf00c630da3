"""Packets between the observer and the pod get lost."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-path-drop",
    layer="network",
    title=Text("Packets dropped on the network path", "网络路径丢包"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.9,
    needs=frozenset({"probe-transport-timeout", "event-dial-timeout", "event-deadline", "event-grpc-connect", "live-dial-timeout"}),
    terms=(
        Term("probe-transport-timeout", 2.2, Text("No connection until the timeout: dropped somewhere between us and the process.", "直到超时都未建立连接：在到达进程前被丢弃。"),
             -2.0, Text("Connections were made or refused at once.", "连接已建立或立即被拒绝。")),
        Term("probe-peers-fail", 1.2, Text("Other targets fail in the same way at the same time: they share the path.", "其他目标同时以相同方式失败：它们共享路径。"),
             -1.0, Text("Other targets are fine.", "其他目标正常。")),
        Term("probe-tcp-passes", 1.2, Text("A bare TCP connection fails too.", "单纯的 TCP 连接也失败。"),
             -2.2, Text("A TCP connection to the same port passes, so the path is open.", "同一端口 TCP 成功，路径是通的。"), condition=Condition.NOT_SEEN),
        Term("listen-overflows", 0.6, Text("The kernel of the pod dropped nothing.", "Pod 所在内核没有丢弃。"),
             -1.8, Text("The drops happen at the listener, not on the path.", "丢弃发生在监听端，而非路径上。"), condition=Condition.NOT_SEEN),
        Term("go-process-answers", 1.0, Text("Nothing else reached the process either.", "其他观察者同样无法到达进程。"),
             -1.0, Text("Another observer reached the process.", "其他观察者能到达进程。"), condition=Condition.NOT_SEEN),
        Term("event-dial-timeout", 2.2, Text("The kubelet could not connect in time either.", "kubelet 同样未能及时建立连接。")),
        Term("event-deadline", 0.8, Text("The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all look like.", "kubelet 未等到响应头：丢包、TLS 停滞和接口阻塞表现相同。")),
        Term("tcp-retransmits-high", 0.8, Text("Segments had to be sent again and again.", "报文段反复重传。"),
             -0.3, Text("Few segments were sent again.", "重传很少。")),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too: they share the path.", "同节点的其他 Pod 同样失败：它们共享路径。")),
        Term("peers-keep-to-zone", 1.0, Text("Most pods of one zone fail and those of the others do not: they share the path.", "一个可用区的多数 Pod 失败而其他可用区正常：它们共享路径。")),
        Term("live-tcp-connects", 1.2, Text("A connection made just now failed too.", "刚才的连接尝试同样失败。"),
             -1.0, Text("A connection made just now succeeded.", "刚才的连接尝试成功。"), condition=Condition.NOT_SEEN),
        Term("event-grpc-connect", 1.0, Text("The kubelet could not connect to the gRPC port.", "kubelet 无法连接 gRPC 端口。")),
        Term("live-dial-timeout", 1.6, Text("A connection tried just now was not made either.", "刚才的连接尝试同样未建立。")),
    ),
    exclusions=(
        Exclusion("probe-refused", Text("Refused at once: the path is open.", "立即被拒绝：路径是通的。"), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-app-silent", Text("The connection was made: the path is open.", "连接已建立：路径是通的。"), also=(("probe-transport-timeout", False),)),
        Exclusion("probe-dns-absent", Text("The name did not resolve.", "域名未解析。")),
    ),
    next_steps=(
        Text("From the observer's node: tcpdump -ni any host <pod-ip> and port <port>", "在观察者节点上：tcpdump -ni any host <pod-ip> and port <port>"),
        Text("kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count", "kubectl get networkpolicy -A; conntrack -S; cat /proc/sys/net/netfilter/nf_conntrack_count"),
        Text("Probe the same pod from another node.", "从另一节点探测同一 Pod。"),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
    weights_from="Measured on the blackbox exporter: connect stays 0 until the timeout, as it does for a full accept queue and a stalled TLS handshake. So the phase alone is worth the same for all three, and the second witnesses decide. That a whole zone fails weighs as much as a whole node, by judgement, and the two count once: no zone can be cut off on one recorded node.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.HOST}),
)  # fmt: skip
