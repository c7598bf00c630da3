"""Somebody added, removed or replaced a member, and the cluster has to bring the new one up to date."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-membership-changed",
    layer="infrastructure",
    title=Text("The membership of etcd was changed"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-2.2,
    weights_from="A member's id is made when it joins, so a new id is a new membership. Weights are judgement.",
    needs=frozenset({"etcd-membership-changed"}),
    terms=(
        Term("etcd-membership-changed", supports=3.4, opposes=-0.4),
        Term("etcd-member-restarted", supports=0.4),
        Term("etcd-peer-disconnected", supports=0.4),
        Term("etcd-member-isolated", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN, group="isolated"),
        Term("etcd-fsync-one-slow", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-membership-changed": Sentences(
            supports=Text("A restart keeps the id; a new one means that a member was added or replaced."),
            opposes=Text("Nobody changed the membership."),
        ),
        "etcd-member-restarted": Sentences(supports=Text("The new member started then.")),
        "etcd-peer-disconnected": Sentences(supports=Text("Peers lost the connection to the one that was replaced.")),
        "etcd-member-isolated": Sentences(
            supports=Text("All members are reached by their peers."),
            opposes=Text("A member is cut off, which is worse than a change of the membership."),
        ),
        "etcd-fsync-one-slow": Sentences(
            supports=Text("No disk stands out."),
            opposes=Text("A disk is slow as well."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-membership-changed": False},
            sentence=Text("Every member has the id that it had before."),
        ),
    ),
    next_steps=(
        Text(
            "etcdctl member list -w table; etcdctl endpoint status --cluster -w table (do the raft indexes catch up?)"
        ),
        Text("Change one member at a time, and wait until the new one has caught up before the next."),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/runtime-configuration/",),
)
