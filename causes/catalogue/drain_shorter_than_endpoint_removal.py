"""The process stops listening before the proxies have stopped sending to it."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="drain-shorter-than-endpoint-removal",
    layer="shutdown",
    title=Text("The listener closes before traffic stops"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Kubernetes documentation: endpoint removal follows the deletion, and proxies learn of it later. Weights are "
        "judgement."
    ),
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("spec-drain-short", supports=1.2, opposes=-0.8),
        Term("pod-being-deleted", supports=1.6, opposes=-2.2),
        Term("probe-refused", supports=2.2, opposes=-1.0),
        Term("event-refused", supports=2.2),
        Term("event-stopping", supports=1.2, group="pod-being-deleted"),
        Term("probe-dropped-by-app", supports=0.8),
        Term("rollout-in-progress", supports=0.4, opposes=-0.3),
        Term("kubelet-liveness-failing", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "spec-drain-short": Sentences(
            supports=Text("The delay before the stop is shorter than it takes to leave the endpoints."),
            opposes=Text("The delay before the stop is long enough."),
        ),
        "pod-being-deleted": Sentences(
            supports=Text("It happened while the pod was on its way out."),
            opposes=Text("The pod was not being deleted.", context="cause"),
        ),
        "probe-refused": Sentences(
            supports=Text("Connections are refused while traffic still comes."),
            opposes=Text("No connection was refused."),
        ),
        "event-refused": Sentences(supports=Text("The kubelet was refused while the pod was on its way out.")),
        "event-stopping": Sentences(supports=Text("The kubelet was stopping it.")),
        "probe-dropped-by-app": Sentences(supports=Text("Connections were cut.")),
        "rollout-in-progress": Sentences(
            supports=Text("A rollout replaced pods."),
            opposes=Text("No rollout was going on."),
        ),
        "kubelet-liveness-failing": Sentences(
            supports=Text("Liveness stayed silent."),
            opposes=Text("Liveness failed, so the pod was in trouble before."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"pod-being-deleted": False, "event-stopping": False},
            sentence=Text("No pod was being deleted."),
        ),
    ),
    next_steps=(
        Text(
            "kubectl -n <ns> get pod <pod> -o jsonpath='{.spec.terminationGracePeriodSeconds}{\" "
            "\"}{.spec.containers[*].lifecycle.preStop}'"
        ),
        Text(
            "Add a preStop sleep of 5 to 10 s before SIGTERM: proxies are told of the removal at the same time as the "
            "process. preStop plus drain below terminationGracePeriodSeconds."
        ),
        Text("On SIGTERM set readiness to false first, go on serving, and call Shutdown after the delay."),
    ),
    references=(
        "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
        "https://pkg.go.dev/net/http#Server.Shutdown",
    ),
)
