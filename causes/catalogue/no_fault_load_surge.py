"""More requests than usual made it slow; nothing is broken."""

from causes.cause import Cause, Condition, Exclusion, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="no-fault-load-surge",
    layer="no-fault",
    title=Text("Load surge, no fault", "负载激增，非故障"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    needs=frozenset({"load-surge"}),
    terms=(
        Term("load-surge", 3.0, Text("The request rate rose well above its own past.", "请求速率显著高于自身历史。"),
             -2.5, Text("The request rate was as usual.", "请求速率正常。")),
        Term("request-latency-high", 0.5, Text("Requests were slow under the load.", "负载下请求变慢。")),
        Term("pod-crashed", 0.3, Text("Nothing crashed.", "没有崩溃。"),
             -2.0, Text("Something crashed.", "发生崩溃。"), condition=Condition.NOT_SEEN),
        Term("change-before", 0.3, Text("Nothing was changed.", "没有变更。"),
             -0.8, Text("Something was changed before.", "此前有变更。"), condition=Condition.NOT_SEEN),
        Term("kubelet-readiness-failing", 0.4, Text("No probe failed under it.", "负载下没有探针失败。"),
             -0.6, Text("Probes failed under it.", "负载下有探针失败。"), condition=Condition.NOT_SEEN),
        Term("cpu-throttled", 0.2, Text("The CPU limit was not reached.", "未达到 CPU 上限。"),
             -0.4, Text("The CPU limit was reached, so capacity is short.", "已达到 CPU 上限，容量不足。"), condition=Condition.NOT_SEEN),
    ),
    exclusions=(
        Exclusion("load-surge", Text("The request rate was as usual.", "请求速率正常。"), seen=False),
    ),
    next_steps=(
        Text("sum by (service) (rate(http_requests_total[5m]))", "sum by (service) (rate(http_requests_total[5m]))"),
        Text("Scale out: kubectl -n <ns> scale deployment/<name> --replicas=<n>", "扩容：kubectl -n <ns> scale deployment/<name> --replicas=<n>"),
    ),
    references=("https://sre.google/sre-book/handling-overload/",),
    weights_from="Judgement: three times its own past is a surge.",
    about=EntityKind.WORKLOAD,
    no_fault=True,
)  # fmt: skip
