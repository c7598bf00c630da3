"""An etcd member is gone and stays gone."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="etcd-member-down",
    layer="infrastructure",
    title=Text("etcd member is down"),
    symptoms=frozenset({Symptom.ETCD}),
    prior=-1.8,
    terms=(
        Term("etcd-member-down", 3.2, Text("{subject} does not come back."),
             -2.5, Text("Every member is there.")),
        Term("etcd-member-unhealthy", 1.0, Text("A member refuses or reports itself unhealthy."),
             -0.8, Text("Every member answers healthy.")),
        Term("etcd-peer-disconnected", 1.0, Text("Its peers lost the connection to it.")),
        Term("etcd-quorum-lost", 0.1, Text("The others keep a majority."),
             -2.5, Text("So many are gone that the majority is lost, which is worse than one member down."), condition=Condition.NOT_SEEN),
        Term("etcd-endpoint-unhealthy", 1.0, Text("etcdctl says so too.")),
        Term("etcd-no-leader-seen", 0.1, Text("The others kept a leader."),
             -1.4, Text("The others lost their leader as well, which one member down does not cause for long."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("etcd-member-down", Text("Every member is up at the end of the window."), seen=False, also=(("etcd-member-unhealthy", False),)),
    ),
    next_steps=(
        Text("ETCDCTL_API=3 etcdctl --endpoints=<every member> endpoint health -w json"),
        Text("On its host: systemctl status etcd; journalctl -u etcd --since -1h"),
        Text("If its data is lost, replace it: etcdctl member remove <id>, then member add"),
    ),
    references=("https://etcd.io/docs/v3.5/op-guide/recovery/",),
    weights_from="Judgement on what a missing scrape target and a refused health request prove.",
    about=EntityKind.ETCD_MEMBER,
)  # fmt: skip
