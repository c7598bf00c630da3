"""Somebody works on it as planned."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-planned-work",
    layer="no-fault",
    title=Text("Planned work, no fault"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE, Symptom.NODE, Symptom.API_SERVER}),
    prior=-1.8,
    needs=frozenset({"planned-work"}),
    terms=(
        Term("planned-work", 3.2, Text("The work was announced for this time and this thing."),
             -2.5, Text("No work was announced.")),
        Term("pod-being-deleted", 0.3, Text("Pods were being moved away.")),
        Term("etcd-leader-switch", 0.2, Text("A leader that moves belongs to such work.")),
        Term("pod-crashed", 0.2, Text("Nothing crashed."),
             -2.0, Text("Something crashed, which nobody plans."), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.1, Text("Nothing ran out of memory."),
             -1.5, Text("Something ran out of memory, which nobody plans."), condition=Condition.NOT_SEEN),
        Term("etcd-quorum-lost", 0.1, Text("The quorum was kept."),
             -2.5, Text("The quorum was lost, which nobody plans."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("planned-work", Text("No planned work was announced for this time."), seen=False),
    ),
    next_steps=(
        Text("Ask whoever announced the work whether it is over, and close the incident with it."),
        Text("Put a silence or a maintenance window over the next one."),
    ),
    references=("https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/",),
    weights_from="Judgement: an announcement that fits in time and place is strong; what nobody plans (crash, out of memory, lost quorum) speaks against it.",
    about=EntityKind.CLUSTER,
    no_fault=True,
)  # fmt: skip
