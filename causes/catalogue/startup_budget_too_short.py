"""The start takes longer than the probes allow, so it is killed before it ever ran."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="startup-budget-too-short",
    layer="start",
    title=Text("Startup budget too short"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from=(
        "Kubelet source: a startup probe that fails failureThreshold times ends the container. Weights are judgement."
    ),
    needs=frozenset({"kubelet-startup-failing", "event-startup-kill", "pod-constant-age-restarts"}),
    terms=(
        Term("pod-constant-age-restarts", supports=2.6, opposes=-1.2),
        Term("kubelet-startup-failing", supports=1.8, opposes=-0.8),
        Term("pod-not-started", supports=1.4, opposes=-1.2),
        Term("kubelet-liveness-failing", supports=0.5),
        Term("pod-crashed", supports=0.3, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("pod-oom-killed", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-startup-kill", supports=2.0),
        Term("spec-startup-budget-short", supports=2.0, opposes=-0.8),
        Term("spec-no-startup-probe", supports=0.2, opposes=-0.8, when=Condition.NOT_SEEN),
    ),
    sentences={
        "pod-constant-age-restarts": Sentences(
            supports=Text("Restarts at a constant age: the budget ran out each time."),
            opposes=Text("Restarts do not come at a constant age."),
        ),
        "kubelet-startup-failing": Sentences(
            supports=Text("The startup probe failed."),
            opposes=Text("The startup probe did not fail."),
        ),
        "pod-not-started": Sentences(
            supports=Text("The container was never ready since its creation."),
            opposes=Text("The container had been ready."),
        ),
        "kubelet-liveness-failing": Sentences(supports=Text("Liveness kills what is still starting.")),
        "pod-crashed": Sentences(
            supports=Text("It did not crash by itself."),
            opposes=Text("It crashed by itself."),
        ),
        "pod-oom-killed": Sentences(
            supports=Text("It was not killed for memory."),
            opposes=Text("It was killed for memory."),
        ),
        "event-startup-kill": Sentences(
            supports=Text("The kubelet ended it because of the startup probe.", context="startup budget")
        ),
        "spec-startup-budget-short": Sentences(
            supports=Text("The budget in the spec is below the measured start."),
            opposes=Text("The budget in the spec is above the measured start."),
        ),
        "spec-no-startup-probe": Sentences(
            supports=Text("There is a startup probe."),
            opposes=Text("There is no startup probe whose budget could be short."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"pod-restarted": False, "kubelet-startup-failing": False},
            sentence=Text("Nothing was restarted."),
        ),
        Exclusion(
            when={"pod-not-started": False, "pod-young": False, "kubelet-startup-failing": False},
            sentence=Text("The container had been ready and running for long: it was not starting any more."),
        ),
    ),
    next_steps=(
        Text(
            "Budget = initialDelaySeconds + failureThreshold x periodSeconds; set it above the measured start P99 with "
            "margin."
        ),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 startupProbe"),
        Text("kubectl -n <ns> get events --field-selector reason=Killing"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
)
