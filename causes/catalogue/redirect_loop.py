"""The probed route redirects for ever."""

from causes.cause import Cause, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="redirect-loop",
    layer="probe settings",
    title=Text("Redirect loop"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="Measured on the blackbox exporter: status 302 after ten redirects.",
    terms=(
        Term("probe-redirect-loop", supports=3.6, opposes=-3.0),
        Term("event-redirect-loop", supports=3.4),
        Term("event-redirect-warning", supports=1.6),
    ),
    sentences={
        "probe-redirect-loop": Sentences(
            supports=Text("Redirected until the limit of ten."),
            opposes=Text("There was no chain of redirects."),
        ),
        "event-redirect-loop": Sentences(supports=Text("The kubelet followed ten redirects and gave up.")),
        "event-redirect-warning": Sentences(supports=Text("The kubelet warned of redirects.")),
    },
    exclusions=(
        Exclusion(
            when={"probe-redirect-loop": False, "event-redirect-loop": False},
            sentence=Text("There was no chain of redirects."),
        ),
    ),
    next_steps=(
        Text("curl -sIL --max-redirs 10 http://<host>:<port><path> | grep -iE '^(HTTP|location)'"),
        Text("Point the probe at a route that answers 200 itself."),
    ),
    references=("https://github.com/prometheus/blackbox_exporter",),
)
