"""The node's connection table is full, so new connections are dropped."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="conntrack-exhausted",
    layer="network",
    title=Text("Connection table of the node is full"),
    symptoms=frozenset({Symptom.PROBE, Symptom.NODE}),
    about=EntityKind.HOST,
    prior=-2.2,
    weights_from=(
        "Follows from the kernel's rule (a full table drops new connections); the limit is that of node-exporter's "
        "mixin alert, the other weights are judgement."
    ),
    needs=frozenset({"conntrack-near-limit"}),
    terms=(
        Term("conntrack-near-limit", supports=3.4, opposes=-2.5),
        Term("probe-transport-timeout", supports=1.2, opposes=-0.6),
        Term("event-dial-timeout", supports=1.2),
        Term("peers-same-node-fail", supports=1.0, opposes=-0.5),
    ),
    sentences={
        "conntrack-near-limit": Sentences(
            supports=Text("A full table drops every new connection."),
            opposes=Text("The table had room."),
        ),
        "probe-transport-timeout": Sentences(
            supports=Text("No connection until the timeout."),
            opposes=Text("Connections were made or refused at once."),
        ),
        "event-dial-timeout": Sentences(supports=Text("The kubelet could not connect in time.")),
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node fail too."),
            opposes=Text("Other pods of the same node are fine."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"conntrack-near-limit": False},
            sentence=Text("The node's connection table had room."),
        ),
    ),
    next_steps=(
        Text("node_nf_conntrack_entries / node_nf_conntrack_entries_limit"),
        Text("On the node: conntrack -S | grep -o 'insert_failed=[0-9]*\\|drop=[0-9]*'; dmesg | grep conntrack"),
        Text(
            "Raise net.netfilter.nf_conntrack_max, and find who opens so many: conntrack -L | awk '{print $5}' | sort "
            "| uniq -c | sort -rn | head"
        ),
    ),
    references=("https://www.kernel.org/doc/html/latest/networking/nf_conntrack-sysctl.html",),
)
