"""Readiness fails because the pod is being deleted or rolled: planned noise."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="graceful-shutdown-noise",
    layer="shutdown",
    title=Text("Noise of a graceful shutdown"),
    symptoms=frozenset({Symptom.PROBE}),
    no_fault=True,
    prior=-1.8,
    weights_from=(
        "Kubelet source: liveness and startup probes stop on deletion, readiness goes on. Weights are judgement."
    ),
    needs=frozenset({"pod-being-deleted", "event-stopping"}),
    terms=(
        Term("pod-being-deleted", supports=3.0, opposes=-2.5),
        Term("rollout-in-progress", supports=1.2, opposes=-0.3),
        Term("kubelet-liveness-failing", supports=0.6, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("pod-crashed", supports=0.2, opposes=-1.5, when=Condition.NOT_SEEN),
        Term("spec-drain-short", supports=0.3, opposes=-0.4, when=Condition.NOT_SEEN),
        Term("probe-status-unavailable", supports=0.8),
        Term("event-status-unavailable", supports=0.8),
        Term("probe-refused", supports=0.2, opposes=-1.8, when=Condition.NOT_SEEN),
        Term("event-refused", supports=0.2, opposes=-1.8, when=Condition.NOT_SEEN),
        Term("event-stopping", supports=1.6, group="pod-being-deleted"),
        Term("kubelet-readiness-failing", supports=0.3),
    ),
    sentences={
        "pod-being-deleted": Sentences(
            supports=Text("The pod was on its way out when it failed."),
            opposes=Text("The pod was not being deleted.", context="cause"),
        ),
        "rollout-in-progress": Sentences(
            supports=Text("A rollout replaced pods at that time."),
            opposes=Text("No rollout was going on."),
        ),
        "kubelet-liveness-failing": Sentences(
            supports=Text("Liveness stayed silent, as it does for a pod on its way out."),
            opposes=Text("Liveness failed, which it does not for a pod on its way out."),
        ),
        "pod-crashed": Sentences(
            supports=Text("Nothing crashed."),
            opposes=Text("It crashed."),
        ),
        "spec-drain-short": Sentences(
            supports=Text("The drain time in the spec is long enough."),
            opposes=Text("The drain time in the spec is shorter than it takes to leave the endpoints."),
        ),
        "probe-status-unavailable": Sentences(supports=Text("It says itself that it is leaving.")),
        "event-status-unavailable": Sentences(supports=Text("The kubelet was told that it is leaving.")),
        "probe-refused": Sentences(
            supports=Text("Nobody was refused meanwhile."),
            opposes=Text("Connections were refused while traffic still came."),
        ),
        "event-refused": Sentences(
            supports=Text("The kubelet was not refused meanwhile."),
            opposes=Text("The kubelet was refused before the pod was gone."),
        ),
        "event-stopping": Sentences(supports=Text("The kubelet stopped it on purpose.")),
        "kubelet-readiness-failing": Sentences(supports=Text("Readiness goes on while a pod is being deleted.")),
    },
    exclusions=(
        Exclusion(
            when={"pod-being-deleted": False, "rollout-in-progress": False},
            sentence=Text("The pod was not being deleted, and nothing was rolled out."),
        ),
    ),
    next_steps=(
        Text("Nothing is broken. Leave pods with a deletion timestamp out of the alert: kube_pod_deletion_timestamp"),
        Text(
            "Give proxies time: a preStop sleep of some seconds; preStop plus drain below "
            "terminationGracePeriodSeconds."
        ),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",),
)
