"""A configuration change came shortly before."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="recent-config-change",
    layer="change",
    title=Text("A recent configuration change"),
    symptoms=frozenset({Symptom.ETCD, Symptom.PROBE}),
    about=EntityKind.WORKLOAD,
    prior=-2.0,
    weights_from=(
        "Judgement: order in time alone is weak (1.4 nats, as settings change more rarely than versions); symptoms "
        "that start after the change and only on what was changed are strong."
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
            "cpu-throttled",
            "memory-exhausted",
            "settings-missing",
            "image-pull-fails",
            "init-container-stuck",
            "container-start-fails",
            "pod-not-scheduled",
        }
    ),
    change_kinds=frozenset({"config", "configuration", "commit", "configmap", "setting"}),
    proven_by=frozenset({"change-guilty", "rollout-changed-settings"}),
    terms=(
        Term("change-before", supports=1.4, opposes=-2.5),
        Term("load-surge", supports=0.3, opposes=-0.5, when=Condition.NOT_SEEN),
        Term("probe-status-unavailable", supports=1.0),
        Term("event-status-unavailable", supports=1.0),
        Term("change-guilty", supports=3.2, opposes=-1.5),
        Term("rollout-changed-settings", supports=1.2),
        Term("rollout-changed-image", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "change-before": Sentences(
            supports=Text("It was changed shortly before the symptoms."),
            opposes=Text("Nothing that concerns it was changed before the symptoms."),
        ),
        "load-surge": Sentences(
            supports=Text("The load was as usual."),
            opposes=Text("The load rose as well."),
        ),
        "probe-status-unavailable": Sentences(supports=Text("The application says that it cannot serve any more.")),
        "event-status-unavailable": Sentences(supports=Text("The kubelet was told that it cannot serve any more.")),
        "change-guilty": Sentences(
            supports=Text("The symptoms start after the change, and only on what was changed."),
            opposes=Text("Things that were not changed suffer as well, or suffered before."),
        ),
        "rollout-changed-settings": Sentences(supports=Text("The new pods have other settings.")),
        "rollout-changed-image": Sentences(
            supports=Text("The new pods run the same image."),
            opposes=Text("The new pods run another image, so it may be the program."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"change-before": False, "change-guilty": False},
            sentence=Text("No change came before the symptoms."),
        ),
    ),
    next_steps=(
        Text("Compare the two versions, and revert if the symptoms began with the change."),
        Text("git log --since='2 hours ago' -p -- <config path>"),
        Text("kubectl -n <ns> rollout history deployment/<name>"),
    ),
    references=("https://sre.google/sre-book/effective-troubleshooting/",),
)
