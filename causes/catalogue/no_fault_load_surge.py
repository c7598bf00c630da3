"""More requests than usual made it slow; nothing is broken."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-load-surge",
    layer="no-fault",
    title=Text("Load surge, no fault"),
    symptoms=frozenset({Symptom.PROBE}),
    about=EntityKind.WORKLOAD,
    no_fault=True,
    prior=-2.0,
    weights_from="Judgement: three times its own past is a surge.",
    needs=frozenset({"load-surge"}),
    terms=(
        Term("load-surge", supports=3.0, opposes=-2.5),
        Term("request-latency-high", supports=0.5),
        Term("pod-crashed", supports=0.3, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("change-before", supports=0.3, opposes=-0.8, when=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", supports=0.4, opposes=-0.6, when=Condition.NOT_SEEN),
        Term("cpu-throttled", supports=0.2, opposes=-0.4, when=Condition.NOT_SEEN),
    ),
    sentences={
        "load-surge": Sentences(
            supports=Text("The request rate rose well above its own past."),
            opposes=Text("The request rate was as usual."),
        ),
        "request-latency-high": Sentences(supports=Text("Requests were slow under the load.")),
        "pod-crashed": Sentences(
            supports=Text("Nothing crashed."),
            opposes=Text("Something crashed."),
        ),
        "change-before": Sentences(
            supports=Text("Nothing was changed."),
            opposes=Text("Something was changed before."),
        ),
        "kubelet-readiness-failing": Sentences(
            supports=Text("No probe failed under it."),
            opposes=Text("Probes failed under it."),
        ),
        "cpu-throttled": Sentences(
            supports=Text("The CPU limit was not reached."),
            opposes=Text("The CPU limit was reached, so capacity is short."),
        ),
    },
    exclusions=(
        Exclusion(
            when={"load-surge": False},
            sentence=Text("The request rate was as usual."),
        ),
    ),
    next_steps=(
        Text("sum by (service) (rate(http_requests_total[5m]))"),
        Text("Scale out: kubectl -n <ns> scale deployment/<name> --replicas=<n>"),
    ),
    references=("https://sre.google/sre-book/handling-overload/",),
)
