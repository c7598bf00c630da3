"""The process listens, and says that it is not ready, because something it needs comes later."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="dependency-late-at-start",
    layer="start",
    title=Text("A dependency comes late at start"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.2,
    weights_from=(
        "Judgement: an answer of 503 in the first moments of a container means that it runs and waits. The accept "
        "queue is open from listen(2) on, so a start race shows as an answer or a refusal, never as a timeout."
    ),
    needs=frozenset({"pod-recovered-after-start", "pod-young"}),
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD}),
    terms=(
        Term("pod-recovered-after-start", supports=1.8),
        Term("pod-young", supports=1.6, opposes=-2.0),
        Term("probe-status-unavailable", supports=2.4),
        Term("event-status-unavailable", supports=2.4),
        Term("event-not-serving", supports=1.8, group="status"),
        Term("dependency-failing", supports=1.4),
        Term("probe-refused", supports=0.2, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("event-refused", supports=0.2, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("pod-crashed", supports=0.2, opposes=-1.0, when=Condition.NOT_SEEN),
        Term("probe-recovered-fast", supports=0.5),
    ),
    sentences={
        "pod-recovered-after-start": Sentences(
            supports=Text("Failures come only in the first moments after the start.")
        ),
        "pod-young": Sentences(
            supports=Text("The container had just been started."),
            opposes=Text("The container had been running for long."),
        ),
        "probe-status-unavailable": Sentences(supports=Text("It answers, and says itself that it is not ready yet.")),
        "event-status-unavailable": Sentences(supports=Text("The kubelet was told that it is not ready yet.")),
        "event-not-serving": Sentences(supports=Text("The health service says NOT_SERVING.")),
        "dependency-failing": Sentences(supports=Text("Something that it depends on was in trouble meanwhile.")),
        "probe-refused": Sentences(
            supports=Text("The port was bound."),
            opposes=Text("Nothing listened yet, so no dependency was asked."),
        ),
        "event-refused": Sentences(
            supports=Text("The kubelet was not refused."),
            opposes=Text("The kubelet was refused: nothing listened yet."),
        ),
        "pod-crashed": Sentences(
            supports=Text("Nothing crashed."),
            opposes=Text("It crashed."),
        ),
        "probe-recovered-fast": Sentences(supports=Text("It went away when the dependency came.")),
    },
    exclusions=(
        Exclusion(
            when={"pod-young": False, "pod-recovered-after-start": False},
            sentence=Text("The container was long past its start."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> logs <pod> --since=30m | head -50"),
        Text("kubectl -n <ns> get endpointslices -o wide"),
        Text(
            "Let readiness stay false until the dependency answers (that is right), and alert only when it lasts "
            "longer than a start takes."
        ),
    ),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes",),
)
