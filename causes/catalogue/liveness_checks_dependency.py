"""Liveness asks a dependency, so the dependency's outage restarts healthy pods."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="liveness-checks-dependency",
    layer="probe settings",
    title=Text("Liveness depends on another service"),
    symptoms=frozenset({Symptom.PROBE}),
    about=EntityKind.WORKLOAD,
    prior=-2.2,
    weights_from=(
        "Judgement: the dependency's own alert in the same window, several pods at once and liveness failures "
        "together; none of them alone is enough."
    ),
    needs=frozenset({"event-liveness-kill", "kubelet-liveness-failing"}),
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
    terms=(
        Term("dependency-failing", supports=2.2, opposes=-0.8),
        Term("dependency-latency-high", supports=1.4),
        Term("event-liveness-kill", supports=1.8, opposes=-1.8),
        Term("kubelet-liveness-failing", supports=1.6, opposes=-2.0),
        Term("peers-same-workload-fail", supports=1.2, opposes=-0.8),
        Term("probe-status-unavailable", supports=1.6),
        Term("event-status-unavailable", supports=1.6),
        Term("event-status-internal", supports=1.2),
        Term("event-status-bad-gateway", supports=1.2),
        Term("event-status-gateway-late", supports=1.2),
        Term("pod-restarted", supports=0.6, opposes=-0.4),
        Term("pod-crashed", supports=0.2, opposes=-1.2, when=Condition.NOT_SEEN),
    ),
    sentences={
        "dependency-failing": Sentences(
            supports=Text("The dependency has an alert or a failing probe of its own at that time."),
            opposes=Text("No witness of a dependency saw trouble."),
        ),
        "dependency-latency-high": Sentences(supports=Text("The dependency was slow at that time.")),
        "event-liveness-kill": Sentences(
            supports=Text("The kubelet ended containers because of liveness."),
            opposes=Text("The kubelet ended no container because of liveness."),
        ),
        "kubelet-liveness-failing": Sentences(
            supports=Text("Liveness fails, and a dependency should never reach it."),
            opposes=Text("Liveness does not fail."),
        ),
        "peers-same-workload-fail": Sentences(
            supports=Text("Many pods of the workload fail at once: they share the dependency."),
            opposes=Text("Other pods of the workload are fine."),
        ),
        "probe-status-unavailable": Sentences(
            supports=Text("A liveness route that answers 503 looks at something else than its own process.")
        ),
        "event-status-unavailable": Sentences(
            supports=Text("A liveness route that answers 503 looks at something else than its own process.")
        ),
        "event-status-internal": Sentences(
            supports=Text("A process that answers with an error runs; restarting it does not mend what the route asks.")
        ),
        "event-status-bad-gateway": Sentences(
            supports=Text("A process that answers with an error runs; restarting it does not mend what the route asks.")
        ),
        "event-status-gateway-late": Sentences(
            supports=Text("A process that answers with an error runs; restarting it does not mend what the route asks.")
        ),
        "pod-restarted": Sentences(
            supports=Text("Restarts follow."),
            opposes=Text("Nothing was restarted."),
        ),
        "pod-crashed": Sentences(
            supports=Text("No process ended by itself."),
            opposes=Text("The process ended by itself."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"kubelet-liveness-failing": False, "pod-restarted": False},
            sentence=Text("Liveness did not fail."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> get events --field-selector reason=Killing --sort-by=.lastTimestamp"),
        Text(
            "Take every database, cache and remote call out of the liveness route; readiness may look at what this pod "
            "cannot serve without."
        ),
        Text("Repair the dependency first: restarting pods does not help and makes it worse when they all reconnect."),
    ),
    references=(
        "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
        "https://sre.google/sre-book/addressing-cascading-failures/",
    ),
)
