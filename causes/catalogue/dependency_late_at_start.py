"""The process listens, and says that it is not ready, because something it needs comes later."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="dependency-late-at-start",
    layer="start",
    title=Text("A dependency comes late at start"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    needs=frozenset({"probe-status-unavailable", "event-status-unavailable", "event-not-serving", "dependency-failing"}),
    terms=(
        Term("pod-recovered-after-start", 1.8, Text("Failures come only in the first moments after the start.")),
        Term("pod-young", 1.6, Text("The container had just been started."),
             -2.0, Text("The container had been running for long.")),
        Term("probe-status-unavailable", 2.4, Text("It answers, and says itself that it is not ready yet.")),
        Term("event-status-unavailable", 2.4, Text("The kubelet was told that it is not ready yet.")),
        Term("event-not-serving", 1.8, Text("The health service says NOT_SERVING."), group="status"),
        Term("dependency-failing", 1.4, Text("Something that it depends on was in trouble meanwhile.")),
        Term("probe-refused", 0.2, Text("The port was bound."),
             -0.6, Text("Nothing listened yet, so no dependency was asked."), condition=Condition.NOT_SEEN),
        Term("event-refused", 0.2, Text("The kubelet was not refused."),
             -0.6, Text("The kubelet was refused: nothing listened yet."), condition=Condition.NOT_SEEN),
        Term("pod-crashed", 0.2, Text("Nothing crashed."),
             -1.0, Text("It crashed."), condition=Condition.NOT_SEEN),
        Term("probe-recovered-fast", 0.5, Text("It went away when the dependency came.")),
    ),
    exclusions=(
        Exclusion("pod-young", Text("The container was long past its start."), seen=False, also=(("pod-recovered-after-start", False),)),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --since=30m | head -50"),
        Text("kubectl -n <ns> get endpointslices -o wide"),
        Text("Let readiness stay false until the dependency answers (that is right), and alert only when it lasts longer than a start takes."),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes",),
    weights_from="Judgement: an answer of 503 in the first moments of a container means that it runs and waits. The accept queue is open from listen(2) on, so a start race shows as an answer or a refusal, never as a timeout.",
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
)  # fmt: skip
