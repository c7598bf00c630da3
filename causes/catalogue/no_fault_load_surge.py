"""More requests than usual made it slow; nothing is broken."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-load-surge",
    layer="no-fault",
    title=Text("Load surge, no fault"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"load-surge"}),
    terms=(
        Term("load-surge", 3.0, Text("The request rate rose well above its own past."),
             -2.5, Text("The request rate was as usual.")),
        Term("request-latency-high", 0.5, Text("Requests were slow under the load.")),
        Term("pod-crashed", 0.3, Text("Nothing crashed."),
             -2.0, Text("Something crashed."), condition=Condition.NOT_SEEN),
        Term("change-before", 0.3, Text("Nothing was changed."),
             -0.8, Text("Something was changed before."), condition=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", 0.4, Text("No probe failed under it."),
             -0.6, Text("Probes failed under it."), condition=Condition.NOT_SEEN),
        Term("cpu-throttled", 0.2, Text("The CPU limit was not reached."),
             -0.4, Text("The CPU limit was reached, so capacity is short."), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("load-surge", Text("The request rate was as usual."), seen=False),
    ),
    next_steps=(
        Text("sum by (service) (rate(http_requests_total[5m]))"),
        Text("Scale out: kubectl -n <ns> scale deployment/<name> --replicas=<n>"),
    ),
    references=("https://sre.google/sre-book/handling-overload/",),
    weights_from="Judgement: three times its own past is a surge.",
    about=EntityKind.WORKLOAD,
    no_fault=True,
)  # fmt: skip
