"""Headers come in time, the body does not."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="response-body-stall",
    layer="application",
    title=Text("Response body stalls", "响应体停滞"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("probe-body-stall", 3.6, Text("The status came, the body did not finish.", "状态码已返回，响应体未完成。"),
             -3.0, Text("No body stalled.", "响应体没有停滞。")),
        Term("event-body-timeout", 3.4, Text("The kubelet got the headers and waited for the body in vain; it throws such a result away, so no threshold counts it.", "kubelet 收到响应头但未等到正文；此类结果会被丢弃，不计入阈值。")),
    ),
    exclusions=(
        Exclusion("probe-body-stall", Text("No body stalled.", "响应体没有停滞。"), seen=False, also=(("event-body-timeout", False),)),
    ),
    next_steps=(
        Text("curl -sv --max-time 10 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' http://<host>:<port><path>", "curl -sv --max-time 10 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' http://<host>:<port><path>"),
        Text("Let the probe's route answer a few bytes only.", "让探针接口只返回少量字节。"),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
    weights_from="Measured on the blackbox exporter: status 200 and a transfer that takes the whole timeout.",
)  # fmt: skip
