"""A configuration change came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-config-change",
    layer="change",
    title=Text("A recent configuration change"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"change-before", "change-guilty"}),
    terms=(
        Term("change-before", 1.4, Text("It was changed shortly before the symptoms."),
             -2.5, Text("Nothing that concerns it was changed before the symptoms.")),
        Term("load-surge", 0.3, Text("The load was as usual."),
             -0.5, Text("The load rose as well."), condition=Condition.NOT_SEEN),
        Term("probe-status-unavailable", 1.0, Text("The application says that it cannot serve any more.")),
        Term("event-status-unavailable", 1.0, Text("The kubelet was told that it cannot serve any more.")),
        Term("change-guilty", 3.2, Text("The symptoms start after the change, and only on what was changed."),
             -1.5, Text("Things that were not changed suffer as well, or suffered before.")),
    ),
    exclusions=(
        Exclusion("change-before", Text("No change came before the symptoms."), seen=False, also=(("change-guilty", False),)),
    ),
    next_steps=(
        Text("Compare the two versions, and revert if the symptoms began with the change."),
        Text("git log --since='2 hours ago' -p -- <config path>"),
        Text("kubectl -n <ns> rollout history deployment/<name>"),
    ),
    references=("https://sre.google/sre-book/effective-troubleshooting/",),
    weights_from="Judgement: order in time alone is weak (1.4 nats, as settings change more rarely than versions); symptoms that start after the change and only on what was changed are strong.",
    about=EntityKind.WORKLOAD,
    change_kinds=frozenset({"config", "configuration", "commit", "configmap", "setting"}),
)  # fmt: skip
