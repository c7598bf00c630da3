"""The start takes longer than the probes allow, so it is killed before it ever ran."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="startup-budget-too-short",
    layer="start",
    title=Text("Startup budget too short"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"kubelet-startup-failing", "event-startup-kill", "pod-constant-age-restarts"}),
    terms=(
        Term("pod-constant-age-restarts", 2.6, Text("Restarts at a constant age: the budget ran out each time."),
             -1.2, Text("Restarts do not come at a constant age.")),
        Term("kubelet-startup-failing", 1.8, Text("The startup probe failed."),
             -0.8, Text("The startup probe did not fail.")),
        Term("pod-not-started", 1.4, Text("The container was never ready since its creation."),
             -1.2, Text("The container had been ready.")),
        Term("kubelet-liveness-failing", 0.5, Text("Liveness kills what is still starting.")),
        Term("pod-crashed", 0.3, Text("It did not crash by itself."),
             -0.6, Text("It crashed by itself."), condition=Condition.NOT_SEEN),
        Term("pod-oom-killed", 0.2, Text("It was not killed for memory."),
             -2.0, Text("It was killed for memory."), condition=Condition.NOT_SEEN),
        Term("event-startup-kill", 2.0, Text("The kubelet ended it because of the startup probe.", context="startup budget")),
        Term("spec-startup-budget-short", 2.0, Text("The budget in the spec is below the measured start."),
             -0.8, Text("The budget in the spec is above the measured start.")),
        Term("spec-no-startup-probe", 0.2, Text("There is a startup probe."),
             -0.8, Text("There is no startup probe whose budget could be short."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("pod-restarted", Text("Nothing was restarted."), seen=False, also=(("kubelet-startup-failing", False),)),
    ),
    next_steps=(
        Text("Budget = initialDelaySeconds + failureThreshold x periodSeconds; set it above the measured start P99 with margin."),
        Text("kubectl -n <ns> get pod <pod> -o yaml | grep -A8 startupProbe"),
        Text("kubectl -n <ns> get events --field-selector reason=Killing"),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    weights_from="Kubelet source: a startup probe that fails failureThreshold times ends the container. Weights are judgement.",
)  # fmt: skip
