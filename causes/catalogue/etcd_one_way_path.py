"""Between two etcd members only one direction is cut."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-one-way-path",
    layer="network",
    title=Text("Connections between two etcd members fail in one direction"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-2.2,
    weights_from=(
        "Follows from the gauge of active peers, which each member keeps for the connections that it opens itself. "
        "Weights are judgement."
    ),
    needs=frozenset({"etcd-peers-one-way"}),
    terms=(
        Term("etcd-peers-one-way", supports=3.4, opposes=-3.0),
        Term("etcd-member-isolated", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN, group="isolated"),
        Term("etcd-member-down", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-rtt-cross-zone", supports=0.1, opposes=-0.4, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-peers-one-way": Sentences(
            supports=Text("A rule or a route that holds for one direction does that; a dead host cuts both."),
            opposes=Text("No direction alone was cut."),
        ),
        "etcd-member-isolated": Sentences(
            supports=Text("Others reach the same member."),
            opposes=Text("Nobody reaches that member."),
        ),
        "etcd-member-down": Sentences(
            supports=Text("Every member is there."),
            opposes=Text("A member is down."),
        ),
        "etcd-rtt-cross-zone": Sentences(
            supports=Text("Round trips between zones did not rise."),
            opposes=Text("Round trips between zones rose as well."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-peers-one-way": False},
            sentence=Text("No direction alone between two members was cut."),
        ),
    ),
    next_steps=(
        Text("From the member that does not reach the other: nc -zv <peer-ip> 2380; ip route get <peer-ip>"),
        Text("On both hosts, look for a rule that holds for one direction: iptables -S | grep 2380"),
        Text("etcd_network_active_peers == 0"),
    ),
    references=("https://etcd.io/docs/v3.5/metrics/",),
)
