"""The node's connection table is full, so new connections are dropped."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="conntrack-exhausted",
    layer="network",
    title=Text("Connection table of the node is full", "节点连接跟踪表已满"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    prior=-2.2,
    needs=frozenset({"conntrack-near-limit"}),
    terms=(
        Term("conntrack-near-limit", 3.4, Text("A full table drops every new connection.", "表满后所有新连接都会被丢弃。"),
             -2.5, Text("The table had room.", "表仍有余量。")),
        Term("probe-transport-timeout", 1.2, Text("No connection until the timeout.", "直到超时都未建立连接。"),
             -0.6, Text("Connections were made or refused at once.", "连接已建立或立即被拒绝。")),
        Term("event-dial-timeout", 1.2, Text("The kubelet could not connect in time.", "kubelet 未能及时建立连接。")),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too.", "同节点的其他 Pod 同样失败。"),
             -0.5, Text("Other pods of the same node are fine.", "同节点的其他 Pod 正常。")),
    ),
    exclusions=(
        Exclusion("conntrack-near-limit", Text("The node's connection table had room.", "节点连接跟踪表有余量。"), seen=False),
    ),
    next_steps=(
        Text("node_nf_conntrack_entries / node_nf_conntrack_entries_limit", "node_nf_conntrack_entries / node_nf_conntrack_entries_limit"),
        Text("On the node: conntrack -S | grep -o 'insert_failed=[0-9]*\\|drop=[0-9]*'; dmesg | grep conntrack", "在节点上：conntrack -S | grep -o 'insert_failed=[0-9]*\\|drop=[0-9]*'；dmesg | grep conntrack"),
        Text("Raise net.netfilter.nf_conntrack_max, and find who opens so many: conntrack -L | awk '{print $5}' | sort | uniq -c | sort -rn | head", "调高 net.netfilter.nf_conntrack_max，并找出大量建连者：conntrack -L | awk '{print $5}' | sort | uniq -c | sort -rn | head"),
    ),
    references=("https://www.kernel.org/doc/html/latest/networking/nf_conntrack-sysctl.html",),
    weights_from="Follows from the kernel's rule (a full table drops new connections); the limit is that of node-exporter's mixin alert, the other weights are judgement.",
    about=EntityKind.HOST,
)  # fmt: skip
