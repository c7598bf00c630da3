"""An etcd member is up and answers the monitoring, and its peers cannot reach it."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-isolated",
    layer="network",
    title=Text("etcd member is up and cut off from its peers"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_MEMBER,
    prior=-2.0,
    weights_from=(
        "Follows from the gauge of active peers: all peers miss the member while it answers scrapes. "
        "Seen on a member whose peer port was a wrong one. Weights are judgement."
    ),
    needs=frozenset({"etcd-member-isolated"}),
    terms=(
        Term("etcd-member-isolated", supports=3.4, opposes=-3.0),
        Term("etcd-isolated-since-start", supports=0.3, opposes=-1.2, when=Condition.NOT_SEEN, group="start"),
        Term("etcd-member-down", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("etcd-no-consensus", supports=0.6),
        Term("etcd-peers-one-way", supports=0.1, opposes=-0.6, when=Condition.NOT_SEEN, group="one way"),
    ),
    sentences={
        "etcd-member-isolated": Sentences(
            supports=Text("The process lives, so it is the way to it, or the address on which it listens."),
            opposes=Text("No member was cut off from all its peers."),
        ),
        "etcd-isolated-since-start": Sentences(
            supports=Text("It did not begin with a start of that member."),
            opposes=Text("It began with a start of that member, which then listens elsewhere."),
        ),
        "etcd-member-down": Sentences(
            supports=Text("The process is there."),
            opposes=Text("The process itself does not answer."),
        ),
        "etcd-no-consensus": Sentences(supports=Text("It reads its own data and cannot agree with the others.")),
        "etcd-peers-one-way": Sentences(
            supports=Text("Nothing reaches it, from no side."),
            opposes=Text("Only one direction between two members is cut."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-member-isolated": False},
            sentence=Text("Every member that was up was reached by its peers."),
        ),
    ),
    next_steps=(
        Text("From another member's host: nc -zv <peer-ip> 2380; then iptables -S and the network policies between"),
        Text("On its host: ss -ltnp | grep etcd (does it listen on the peer port, on which address?)"),
        Text("etcd_network_active_peers == 0; increase(etcd_network_disconnected_peers_total[15m])"),
    ),
    references=("https://etcd.io/docs/v3.5/metrics/", "https://etcd.io/docs/v3.5/op-guide/failures/"),
)
