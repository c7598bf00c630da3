"""A deploy came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-deploy",
    layer="change",
    title=Text("A recent deploy"),
    symptoms=frozenset({Symptom.PROBE}),
    about=EntityKind.WORKLOAD,
    prior=-2.2,
    weights_from=(
        "Judgement: order in time alone is weak (1 nat); symptoms that start after the change and only on what was "
        "changed are strong."
    ),
    needs=frozenset({"change-before", "change-guilty"}),
    contributes_to=frozenset(
        {
            "wrong-probe-target",
            "tls-trust-or-scheme",
            "redirect-loop",
            "probe-timeout-below-latency",
            "startup-budget-too-short",
            "liveness-before-start",
            "graceful-shutdown-noise",
            "no-listener-at-start",
            "image-pull-fails",
            "settings-missing",
            "init-container-stuck",
            "container-start-fails",
            "pod-not-scheduled",
            "recent-config-change",
        }
    ),
    change_kinds=frozenset({"deploy", "deployment", "rollout", "release"}),
    proven_by=frozenset({"change-guilty"}),
    terms=(
        Term("change-before", supports=1.0, opposes=-2.5),
        Term("rollout-in-progress", supports=0.6, opposes=-0.2),
        Term("pod-crashed", supports=0.5),
        Term("change-guilty", supports=3.2, opposes=-1.5),
        Term("probe-status-error", supports=0.6),
        Term("event-status-code", supports=0.6),
        Term("rollout-stuck", supports=1.0),
        Term("peers-same-workload-fail", supports=0.5),
        Term("rollout-changed-image", supports=0.8),
        Term("rollout-changed-probe", supports=0.8),
        Term("probe-transport-timeout", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "change-before": Sentences(
            supports=Text("It was changed shortly before the symptoms."),
            opposes=Text("Nothing that concerns it was changed before the symptoms."),
        ),
        "rollout-in-progress": Sentences(
            supports=Text("A rollout was going on."),
            opposes=Text("No rollout was going on any more."),
        ),
        "pod-crashed": Sentences(supports=Text("The new version crashes.")),
        "change-guilty": Sentences(
            supports=Text("The symptoms start after the change, and only on what was changed."),
            opposes=Text("Things that were not changed suffer as well, or suffered before."),
        ),
        "probe-status-error": Sentences(supports=Text("The new version answers with an error.")),
        "event-status-code": Sentences(supports=Text("The kubelet gets an error from the new version.")),
        "rollout-stuck": Sentences(supports=Text("The rollout does not get on.")),
        "peers-same-workload-fail": Sentences(supports=Text("Other pods of the same workload fail too.")),
        "rollout-changed-image": Sentences(supports=Text("The new pods run another image.")),
        "rollout-changed-probe": Sentences(supports=Text("The new pods are probed in another way.")),
        "probe-transport-timeout": Sentences(
            supports=Text("Connections are made."),
            opposes=Text("Packets vanish on the way, which a new version does not make them do."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"change-before": False, "change-guilty": False},
            sentence=Text("No deploy came before the symptoms."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> rollout history deployment/<name>"),
        Text("kubectl -n <ns> rollout undo deployment/<name>"),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment",),
)
