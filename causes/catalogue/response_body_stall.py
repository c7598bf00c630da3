"""Headers come in time, the body does not."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="response-body-stall",
    layer="application",
    title=Text("Response body stalls"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="Measured on the blackbox exporter: status 200 and a transfer that takes the whole timeout.",
    terms=(
        Term("probe-body-stall", supports=3.6, opposes=-3.0),
        Term("event-body-timeout", supports=3.4),
    ),
    sentences={
        "probe-body-stall": Sentences(
            supports=Text("The status came, the body did not finish."),
            opposes=Text("No body stalled."),
        ),
        "event-body-timeout": Sentences(
            supports=Text(
                "The kubelet got the headers and waited for the body in vain; it throws such a result away, so no "
                "threshold counts it."
            )
        ),
    },
    exclusions=(
        Exclusion(
            when={"probe-body-stall": False, "event-body-timeout": False},
            sentence=Text("No body stalled."),
        ),
    ),
    next_steps=(
        Text(
            "curl -sv --max-time 10 -o /dev/null -w '%{time_starttransfer} %{time_total}\\n' http://<host>:<port><path>"
        ),
        Text("Let the probe's route answer a few bytes only."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
)
