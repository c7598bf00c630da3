"""A deploy came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-deploy",
    layer="change",
    title=Text("A recent deploy"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"change-before", "change-guilty"}),
    terms=(
        Term("change-before", 1.0, Text("It was changed shortly before the symptoms."),
             -2.5, Text("Nothing that concerns it was changed before the symptoms.")),
        Term("rollout-in-progress", 0.6, Text("A rollout was going on."),
             -0.2, Text("No rollout was going on any more.")),
        Term("pod-crashed", 0.5, Text("The new version crashes.")),
        Term("change-guilty", 3.2, Text("The symptoms start after the change, and only on what was changed."),
             -1.5, Text("Things that were not changed suffer as well, or suffered before.")),
        Term("probe-status-error", 0.6, Text("The new version answers with an error.")),
        Term("event-status-code", 0.6, Text("The kubelet gets an error from the new version.")),
        Term("rollout-stuck", 1.0, Text("The rollout does not get on.")),
        Term("peers-same-workload-fail", 0.5, Text("Other pods of the same workload fail too.")),
        Term("probe-transport-timeout", 0.1, Text("Connections are made."),
             -2.0, Text("Packets vanish on the way, which a new version does not make them do."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("change-before", Text("No deploy came before the symptoms."), seen=False, also=(("change-guilty", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> rollout history deployment/<name>"),
        Text("kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment",),
    weights_from="Judgement: order in time alone is weak (1 nat); symptoms that start after the change and only on what was changed are strong.",
    about=EntityKind.WORKLOAD,
    contributes_to=frozenset({"wrong-probe-target", "tls-trust-or-scheme", "redirect-loop", "probe-timeout-below-latency", "startup-budget-too-short", "liveness-before-start", "graceful-shutdown-noise", "no-listener-at-start"}),
    change_kinds=frozenset({"deploy", "deployment", "rollout", "release"}),
)  # fmt: skip
