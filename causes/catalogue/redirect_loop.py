"""The probed route redirects for ever."""

from causes.cause import Cause, Exclusion, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="redirect-loop",
    layer="probe settings",
    title=Text("Redirect loop"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    terms=(
        Term("probe-redirect-loop", 3.6, Text("Redirected until the limit of ten."),
             -3.0, Text("There was no chain of redirects.")),
        Term("event-redirect-loop", 3.4, Text("The kubelet followed ten redirects and gave up.")),
        Term("event-redirect-warning", 1.6, Text("The kubelet warned of redirects.")),
    ),
    exclusions=(
        Exclusion("probe-redirect-loop", Text("There was no chain of redirects."), seen=False, also=(("event-redirect-loop", False),)),
    ),
    next_steps=(
        Text("curl -sIL --max-redirs 10 http://<host>:<port><path> | grep -iE '^(HTTP|location)'"),
        Text("Point the probe at a route that answers 200 itself."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
    weights_from="Measured on the blackbox exporter: status 302 after ten redirects.",
)  # fmt: skip
