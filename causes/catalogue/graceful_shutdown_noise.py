"""Readiness fails because the pod is being deleted or rolled: planned noise."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="graceful-shutdown-noise",
    layer="shutdown",
    title=Text("Noise of a graceful shutdown"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.8,
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("pod-being-deleted", 3.0, Text("The pod was on its way out when it failed."),
             -2.5, Text("The pod was not being deleted.", context="cause")),
        Term("rollout-in-progress", 1.2, Text("A rollout replaced pods at that time."),
             -0.3, Text("No rollout was going on.")),
        Term("kubelet-liveness-failing", 0.6, Text("Liveness stayed silent, as it does for a pod on its way out."),
             -1.5, Text("Liveness failed, which it does not for a pod on its way out."), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("Nothing crashed."),
             -1.5, Text("It crashed."), condition=Condition.NOT_SEEN),
        Term("spec-drain-short", 0.3, Text("The drain time in the spec is long enough."),
             -0.4, Text("The drain time in the spec is shorter than it takes to leave the endpoints."), condition=Condition.NOT_SEEN),
        Term("probe-status-unavailable", 0.8, Text("It says itself that it is leaving.")),
        Term("event-status-unavailable", 0.8, Text("The kubelet was told that it is leaving.")),
        Term("probe-refused", 0.2, Text("Nobody was refused meanwhile."),
             -1.8, Text("Connections were refused while traffic still came."), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.2, Text("The kubelet was not refused meanwhile."),
             -1.8, Text("The kubelet was refused before the pod was gone."), condition=Condition.NOT_SEEN),
        Term("event-stopping", 1.6, Text("The kubelet stopped it on purpose."), group="pod-being-deleted"),
        Term("kubelet-readiness-failing", 0.3, Text("Readiness goes on while a pod is being deleted.")),
    ),
    exclusions=(
        Exclusion("pod-being-deleted", Text("The pod was not being deleted, and nothing was rolled out."), seen=False, also=(("rollout-in-progress", False),)),
    ),
    next_steps=(
        Text("Nothing is broken. Leave pods with a deletion timestamp out of the alert: kube_pod_deletion_timestamp"),
        Text("Give proxies time: a preStop sleep of some seconds; preStop plus drain below terminationGracePeriodSeconds."),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",),
    weights_from="Kubelet source: liveness and startup probes stop on deletion, readiness goes on. Weights are judgement.",
    no_fault=True,
)  # fmt: skip
