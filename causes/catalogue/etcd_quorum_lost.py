"""Fewer than a majority of the etcd members work."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-quorum-lost",
    layer="infrastructure",
    title=Text("etcd lost its quorum"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    about=EntityKind.ETCD_CLUSTER,
    prior=-2.2,
    weights_from=(
        "Follows from the consensus rule: fewer healthy members than a majority. Weight at the bound, because it is "
        "close to a proof. Asked after the fault the members are well, so the series of its time count as much."
    ),
    terms=(
        Term("etcd-quorum-lost", supports=3.8, opposes=-3.0),
        Term("etcd-quorum-was-lost", supports=3.6, opposes=-0.8),
        Term("etcd-no-consensus", supports=2.0),
        Term("etcd-proposals-failed", supports=0.6, group="proposals"),
        Term("etcd-no-leader-seen", supports=0.6, opposes=-0.8),
        Term("etcd-member-down", supports=0.4),
        Term("etcd-peer-disconnected", supports=0.4),
    ),
    sentences={
        "etcd-quorum-lost": Sentences(
            supports=Text("Without a majority no write succeeds."),
            opposes=Text("A majority is healthy."),
        ),
        "etcd-quorum-was-lost": Sentences(
            supports=Text("Without a majority no write succeeded; that it works again does not undo it."),
            opposes=Text("There was a majority all the time."),
        ),
        "etcd-no-consensus": Sentences(supports=Text("A member reads its own data but cannot reach agreement.")),
        "etcd-proposals-failed": Sentences(supports=Text("Writes failed meanwhile.")),
        "etcd-no-leader-seen": Sentences(
            supports=Text("The cluster had no leader."),
            opposes=Text("There was a leader throughout."),
        ),
        "etcd-member-down": Sentences(supports=Text("A member is down.")),
        "etcd-peer-disconnected": Sentences(supports=Text("Members lost the connection to each other.")),
    },
    exclusions=(
        Exclusion(
            when={"etcd-quorum-lost": False, "etcd-quorum-was-lost": False},
            sentence=Text("A majority of the members is healthy, and was all the time."),
        ),
    ),
    next_steps=(
        Text("ETCDCTL_API=3 etcdctl --endpoints=<every member> endpoint health -w json"),
        Text("Bring any one stopped member back first; its data directory must stay as it is."),
        Text(
            "If it is over: journalctl -u etcd --since -1h on every member, and what they have in common (host, rack)"
        ),
        Text("Only if the majority is lost for good: restore a snapshot (etcdutl snapshot restore)."),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/recovery/",),
)
