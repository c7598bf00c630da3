"""The node runs out of memory, disk or process ids, and evicts or slows its pods."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="node-pressure",
    layer="infrastructure",
    title=Text("The node is under pressure", "节点资源紧张"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    prior=-2.0,
    needs=frozenset({"node-pressure"}),
    terms=(
        Term("node-pressure", 3.4, Text("The kubelet reports a lack of memory, disk or process ids.", "kubelet 报告内存、磁盘或进程号不足。"),
             -2.8, Text("The kubelet reports no lack of anything.", "kubelet 未报告资源不足。")),
        Term("peers-same-node-fail", 0.8, Text("Other pods of the same node fail too.", "同节点的其他 Pod 同样失败。"),
             -0.3, Text("Other pods of the same node are fine.", "同节点的其他 Pod 正常。")),
        Term("pod-waiting", 0.3, Text("The pod waits to be started again.", "Pod 正等待再次启动。")),
        Term("event-failed-mount", 0.3, Text("Volumes could not be mounted.", "卷挂载失败。")),
    ),
    exclusions=(
        Exclusion("node-pressure", Text("The kubelet reports no lack of memory, disk or process ids.", "kubelet 未报告内存、磁盘或进程号不足。"), seen=False),
    ),
    next_steps=(
        Text("kubectl describe node <node> | grep -A12 'Conditions:'; kubectl get events -A --field-selector reason=Evicted", "kubectl describe node <node> | grep -A12 'Conditions:'; kubectl get events -A --field-selector reason=Evicted"),
        Text("On the node: df -h; free -m; cat /proc/pressure/memory /proc/pressure/io", "在节点上：df -h；free -m；cat /proc/pressure/memory /proc/pressure/io"),
        Text("sum by (pod) (container_memory_working_set_bytes{node=\"<node>\",container!=\"\"})", "sum by (pod) (container_memory_working_set_bytes{node=\"<node>\",container!=\"\"})"),
    ),
    references=("https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",),
    weights_from="The pressure conditions are the kubelet's own statements; the rest is judgement.",
    about=EntityKind.HOST,
)  # fmt: skip
