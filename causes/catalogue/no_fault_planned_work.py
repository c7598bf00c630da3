"""Somebody works on it as planned."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-planned-work",
    layer="no-fault",
    title=Text("Planned work, no fault"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE, Symptom.NODE, Symptom.API_SERVER}),
    about=EntityKind.CLUSTER,
    no_fault=True,
    prior=-1.8,
    weights_from=(
        "Judgement: an announcement that fits in time and place is strong; what nobody plans (crash, out of memory, "
        "lost quorum) speaks against it."
    ),
    needs=frozenset({"planned-work"}),
    terms=(
        Term("planned-work", supports=3.2, opposes=-2.5),
        Term("pod-being-deleted", supports=0.3),
        Term("etcd-leader-switch", supports=0.2),
        Term("pod-crashed", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("pod-oom-killed", supports=0.1, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("etcd-quorum-lost", supports=0.1, opposes=-2.5, when=Condition.NOT_SEEN),
    ),
    sentences={
        "planned-work": Sentences(
            supports=Text("The work was announced for this time and this thing."),
            opposes=Text("No work was announced."),
        ),
        "pod-being-deleted": Sentences(supports=Text("Pods were being moved away.")),
        "etcd-leader-switch": Sentences(supports=Text("A leader that moves belongs to such work.")),
        "pod-crashed": Sentences(
            supports=Text("Nothing crashed."),
            opposes=Text("Something crashed, which nobody plans."),
        ),
        "pod-oom-killed": Sentences(
            supports=Text("Nothing ran out of memory."),
            opposes=Text("Something ran out of memory, which nobody plans."),
        ),
        "etcd-quorum-lost": Sentences(
            supports=Text("The quorum was kept."),
            opposes=Text("The quorum was lost, which nobody plans."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"planned-work": False},
            sentence=Text("No planned work was announced for this time."),
        ),
    ),
    next_steps=(
        Text("Ask whoever announced the work whether it is over, and close the incident with it."),
        Text("Put a silence or a maintenance window over the next one."),
    ),
    references=("https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/",),
)
