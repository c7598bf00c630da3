"""The network says at once that there is no way to the address."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="network-unreachable",
    layer="network",
    title=Text("No route to the pod", "到 Pod 的路由不可达"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-unreachable", "probe-refused"}),
    terms=(
        Term("event-unreachable", 3.6, Text("The kubelet was told that there is no route: routing, neighbour table or network plug-in.", "kubelet 得到无路由应答：路由、邻居表或网络插件问题。"),
             -1.0, Text("Nobody was told that there is no route.", "没有收到无路由应答。")),
        Term("go-process-answers", 0.6, Text("No other observer reached the process either.", "其他观察者同样无法到达进程。"),
             -0.6, Text("Another observer reached the process.", "其他观察者能到达进程。"), condition=Condition.NOT_SEEN),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too: they share the way.", "同节点的其他 Pod 同样失败：它们共享路径。")),
        Term("peers-keep-to-zone", 1.0, Text("Most pods of one zone fail and those of the others do not: they share the way.", "一个可用区的多数 Pod 失败而其他可用区正常：它们共享路径。")),
        Term("probe-refused", 0.8, Text("The probe ended at once without a connection.", "探测立即结束且未建立连接。")),
        Term("pod-restarted", 0.2, Text("Nothing was restarted, so the address did not move.", "没有重启，地址未变化。"),
             -0.8, Text("It was restarted meanwhile.", "期间有重启。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("probe-app-silent", Text("The connection was made: there is a way.", "连接已建立：路由可达。"), also=(("event-unreachable", False),)),
    ),
    next_steps=(
        Text("On the pod's node: ip route get <pod-ip>; ip neigh show <pod-ip>", "在 Pod 所在节点上：ip route get <pod-ip>；ip neigh show <pod-ip>"),
        Text("kubectl -n kube-system get pods -o wide | grep -E 'calico|cilium|flannel|kube-proxy'", "kubectl -n kube-system get pods -o wide | grep -E 'calico|cilium|flannel|kube-proxy'"),
        Text("iptables-save | grep -E 'REJECT|<pod-ip>'", "iptables-save | grep -E 'REJECT|<pod-ip>'"),
    ),
    references=("https://man7.org/linux/man-pages/man2/connect.2.html", "https://kubernetes.io/docs/concepts/cluster-administration/networking/"),
    weights_from="The message is the kernel's own answer to the connection attempt (EHOSTUNREACH, ENETUNREACH); the rest is judgement, at most one nat; a whole zone weighs as much as a whole node, and the two count once.",
    may_follow=frozenset({EntityKind.HOST}),
)  # fmt: skip
