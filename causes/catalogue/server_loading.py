"""A database or cache reads its data before it accepts work."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="server-loading",
    layer="start",
    title=Text("The server is still loading or recovering"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-says-loading"}),
    terms=(
        Term("event-says-loading", supports=3.6),
        Term("pod-young", supports=0.6),
        Term("pod-restarted", supports=0.4),
        Term("event-says-disk-full", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-says-loading": Sentences(supports=Text("The server says so itself.")),
        "pod-young": Sentences(supports=Text("It was started shortly before.")),
        "pod-restarted": Sentences(supports=Text("It was restarted, and loads its data again.")),
        "event-says-disk-full": Sentences(
            supports=Text("Its disk has room."), opposes=Text("Its disk is full, which is more exact.")
        ),
    },
    exclusions=(
        Exclusion(when={"event-says-loading": False}, sentence=Text("The server did not say that it is loading.")),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | tail -30"),
        Text(
            "Wait, and watch its progress in the log. Give it a startupProbe whose budget is above the "
            "time that it needs to load."
        ),
    ),
    references=(
        "https://www.postgresql.org/docs/current/errcodes-appendix.html",
        "https://redis.io/docs/latest/develop/reference/protocol-spec/",
    ),
)
