"""The process stops listening before the proxies have stopped sending to it."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="drain-shorter-than-endpoint-removal",
    layer="shutdown",
    title=Text("The listener closes before traffic stops"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("spec-drain-short", 1.2, Text("The delay before the stop is shorter than it takes to leave the endpoints."),
             -0.8, Text("The delay before the stop is long enough.")),
        Term("pod-being-deleted", 1.6, Text("It happened while the pod was on its way out."),
             -2.2, Text("The pod was not being deleted.", context="cause")),
        Term("probe-refused", 2.2, Text("Connections are refused while traffic still comes."),
             -1.0, Text("No connection was refused.")),
        Term("event-refused", 2.2, Text("The kubelet was refused while the pod was on its way out.")),
        Term("event-stopping", 1.2, Text("The kubelet was stopping it."), group="pod-being-deleted"),
        Term("probe-dropped-by-app", 0.8, Text("Connections were cut.")),
        Term("rollout-in-progress", 0.4, Text("A rollout replaced pods."),
             -0.3, Text("No rollout was going on.")),
        Term("kubelet-liveness-failing", 0.2, Text("Liveness stayed silent."),
             -1.0, Text("Liveness failed, so the pod was in trouble before."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("pod-being-deleted", Text("No pod was being deleted."), seen=False, also=(("event-stopping", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.terminationGracePeriodSeconds}{\" \"}{.spec.containers[*].lifecycle.preStop}'"),
        Text("Add a preStop sleep of 5 to 10 s before SIGTERM: proxies are told of the removal at the same time as the process. preStop plus drain below terminationGracePeriodSeconds."),
        Text("On SIGTERM set readiness to false first, go on serving, and call Shutdown after the delay."),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination", "https://pkg.go.dev/net/http#Server.Shutdown"),
    weights_from="Kubernetes documentation: endpoint removal follows the deletion, and proxies learn of it later. Weights are judgement.",
)  # fmt: skip
