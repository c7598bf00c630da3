"""Headers come in time, the body does not."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="response-body-stall",
    layer="application",
    title=Text("Response body stalls"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("probe-body-stall", 3.6, Text("The status came, the body did not finish."),
             -3.0, Text("No body stalled.")),
        Term("event-body-timeout", 3.4, Text("The kubelet got the headers and waited for the body in vain; it throws such a result away, so no threshold counts it.")),
    ),
    exclusions=(
        Exclusion("probe-body-stall", Text("No body stalled."), seen=False, also=(("event-body-timeout", False),)),
    ),
    next_steps=(
        Text("curl -sv --max-time 10 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' http://<host>:<port><path>"),
        Text("Let the probe's route answer a few bytes only."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
    weights_from="Measured on the blackbox exporter: status 200 and a transfer that takes the whole timeout.",
)  # fmt: skip
