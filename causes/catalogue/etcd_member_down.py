"""An etcd member is gone and stays gone."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-down",
    layer="infrastructure",
    title=Text("etcd member is down"),
    symptoms=frozenset({Symptom.ETCD}),
    about=EntityKind.ETCD_MEMBER,
    prior=-1.8,
    weights_from="Judgement on what a missing scrape target and a refused health request prove.",
    terms=(
        Term("etcd-member-down", supports=3.2, opposes=-2.5),
        Term("etcd-member-unhealthy", supports=1.0, opposes=-0.8),
        Term("etcd-peer-disconnected", supports=1.0),
        Term("etcd-quorum-lost", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN),
        Term("etcd-endpoint-unhealthy", supports=1.0),
        Term("etcd-quorum-was-lost", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN),
        Term("etcd-no-leader-seen", supports=0.1, opposes=-1.4, when=Condition.NOT_SEEN),
    ),
    sentences={
        "etcd-member-down": Sentences(
            supports=Text("{subject} does not come back."),
            opposes=Text("Every member is there."),
        ),
        "etcd-member-unhealthy": Sentences(
            supports=Text("A member refuses or reports itself unhealthy."),
            opposes=Text("Every member answers healthy."),
        ),
        "etcd-peer-disconnected": Sentences(supports=Text("Its peers lost the connection to it.")),
        "etcd-quorum-lost": Sentences(
            supports=Text("The others keep a majority."),
            opposes=Text("So many are gone that the majority is lost, which is worse than one member down."),
        ),
        "etcd-quorum-was-lost": Sentences(
            supports=Text("The others kept a majority all the time."),
            opposes=Text("So many were gone that the majority was lost, which is worse than one member down."),
        ),
        "etcd-endpoint-unhealthy": Sentences(supports=Text("etcdctl says so too.")),
        "etcd-no-leader-seen": Sentences(
            supports=Text("The others kept a leader."),
            opposes=Text("The others lost their leader as well, which one member down does not cause for long."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"etcd-member-down": False, "etcd-member-unhealthy": False},
            sentence=Text("Every member is up at the end of the window."),
        ),
    ),
    next_steps=(
        Text("ETCDCTL_API=3 etcdctl --endpoints=<every member> endpoint health -w json"),
        Text("On its host: systemctl status etcd; journalctl -u etcd --since -1h"),
        Text("If its data is lost, replace it: etcdctl member remove <id>, then member add"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/recovery/",),
)
