"""A rate limit turns the probe away like any other request."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="rate-limited",
    layer="application",
    title=Text("The probe is turned away by a rate limit"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-status-limited", "event-says-limited"}),
    terms=(
        Term("event-status-limited", supports=3.4),
        Term("event-says-limited", supports=3.4),
        Term("load-surge", supports=0.6),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-status-limited": Sentences(
            supports=Text("429: there were too many requests, and the probe is counted among them.")
        ),
        "event-says-limited": Sentences(supports=Text("The server says so itself.")),
        "load-surge": Sentences(supports=Text("There were more requests than usual.")),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-status-limited": False, "event-says-limited": False},
            sentence=Text("No request was turned away for its rate."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'limiting|rate|429' | tail -20"),
        Text(
            "Exempt the probed route from the limit; a limit protects the service from clients, not "
            "from its own health check."
        ),
    ),
    references=("https://www.rfc-editor.org/rfc/rfc6585#section-4",),
)
