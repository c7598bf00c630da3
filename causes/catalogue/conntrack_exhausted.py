"""The node's connection table is full, so new connections are dropped."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="conntrack-exhausted",
    layer="network",
    title=Text("Connection table of the node is full"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    prior=-2.2,
    needs=frozenset({"conntrack-near-limit"}),
    terms=(
        Term("conntrack-near-limit", 3.4, Text("A full table drops every new connection."),
             -2.5, Text("The table had room.")),
        Term("probe-transport-timeout", 1.2, Text("No connection until the timeout."),
             -0.6, Text("Connections were made or refused at once.")),
        Term("event-dial-timeout", 1.2, Text("The kubelet could not connect in time.")),
        Term("peers-same-node-fail", 1.0, Text("Other pods of the same node fail too."),
             -0.5, Text("Other pods of the same node are fine.")),
    ),
    exclusions=(
        Exclusion("conntrack-near-limit", Text("The node's connection table had room."), seen=False),
    ),
    next_steps=(
        Text("node_nf_conntrack_entries / node_nf_conntrack_entries_limit"),
        Text("On the node: conntrack -S | grep -o 'insert_failed=[0-9]*\\|drop=[0-9]*'; dmesg | grep conntrack"),
        Text("Raise net.netfilter.nf_conntrack_max, and find who opens so many: conntrack -L | awk '{print $5}' | sort | uniq -c | sort -rn | head"),
    ),
    references=("https://www.kernel.org/doc/html/latest/networking/nf_conntrack-sysctl.html",),
    weights_from="Follows from the kernel's rule (a full table drops new connections); the limit is that of node-exporter's mixin alert, the other weights are judgement.",
    about=EntityKind.HOST,
)  # fmt: skip
