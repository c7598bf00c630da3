"""Liveness asks a dependency, so the dependency's outage restarts healthy pods."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="liveness-checks-dependency",
    layer="probe settings",
    title=Text("Liveness depends on another service"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    terms=(
        Term("dependency-failing", 2.2, Text("The dependency has an alert or a failing probe of its own at that time."),
             -0.8, Text("No witness of a dependency saw trouble.")),
        Term("dependency-latency-high", 1.4, Text("The dependency was slow at that time.")),
        Term("event-liveness-kill", 1.8, Text("The kubelet ended containers because of liveness."),
             -1.8, Text("The kubelet ended no container because of liveness.")),
        Term("kubelet-liveness-failing", 1.6, Text("Liveness fails, and a dependency should never reach it."),
             -2.0, Text("Liveness does not fail.")),
        Term("peers-same-workload-fail", 1.2, Text("Many pods of the workload fail at once: they share the dependency."),
             -0.8, Text("Other pods of the workload are fine.")),
        Term("probe-status-unavailable", 1.6, Text("A liveness route that answers 503 looks at something else than its own process.")),
        Term("event-status-unavailable", 1.6, Text("A liveness route that answers 503 looks at something else than its own process.")),
        Term("pod-restarted", 0.6, Text("Restarts follow."),
             -0.4, Text("Nothing was restarted.")),
        Term("pod-crashed", 0.2, Text("No process ended by itself."),
             -1.2, Text("The process ended by itself."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("kubelet-liveness-failing", Text("Liveness did not fail."), seen=False, also=(("pod-restarted", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector reason=Killing --sort-by=.lastTimestamp"),
        Text("Take every database, cache and remote call out of the liveness route; readiness may look at what this pod cannot serve without."),
        Text("Repair the dependency first: restarting pods does not help and makes it worse when they all reconnect."),
    ),
    references=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/", "https://sre.google/sre-book/addressing-cascading-failures/"),
    weights_from="Judgement: the dependency's own alert in the same window, several pods at once and liveness failures together; none of them alone is enough.",
    about=EntityKind.WORKLOAD,
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
