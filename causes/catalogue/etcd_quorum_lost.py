"""Fewer than a majority of the etcd members work."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-quorum-lost",
    layer="infrastructure",
    title=Text("etcd lost its quorum"),
    symptoms=frozenset({Symptom.ETCD, Symptom.API_SERVER}),
    prior=-2.2,
    terms=(
        Term("etcd-quorum-lost", 3.8, Text("Without a majority no write succeeds."),
             -3.0, Text("A majority is healthy.")),
        Term("etcd-no-consensus", 2.0, Text("A member reads its own data but cannot reach agreement.")),
        Term("etcd-no-leader-seen", 0.6, Text("The cluster had no leader."),
             -0.8, Text("There was a leader throughout.")),
        Term("etcd-member-down", 0.4, Text("A member is down.")),
        Term("etcd-peer-disconnected", 0.4, Text("Members lost the connection to each other.")),
    ),
    exclusions=(
        Exclusion("etcd-quorum-lost", Text("A majority of the members is healthy."), seen=False),
    ),
    next_steps=(
        Text("ETCDCTL_API=3 etcdctl --endpoints=<every member> endpoint health -w json"),
        Text("Bring any one stopped member back first; its data directory must stay as it is."),
        Text("Only if the majority is lost for good: restore a snapshot (etcdutl snapshot restore)."),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/recovery/",),
    weights_from="Follows from the consensus rule: fewer healthy members than a majority. Weight at the bound, because it is close to a proof.",
    about=EntityKind.ETCD_CLUSTER,
)  # fmt: skip
