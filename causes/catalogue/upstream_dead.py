"""The probed route is passed on by a proxy, and no server behind it answers."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="upstream-dead",
    layer="application",
    title=Text("The server behind the proxy is down"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-status-bad-gateway", "event-says-no-upstream"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-status-bad-gateway", supports=3.0),
        Term("event-says-no-upstream", supports=3.6),
        Term("dependency-failing", supports=1.2),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-status-bad-gateway": Sentences(
            supports=Text("A proxy answers 502 where the server behind it refuses or breaks off.")
        ),
        "event-says-no-upstream": Sentences(supports=Text("The proxy says so itself.")),
        "dependency-failing": Sentences(supports=Text("Something that it depends on was in trouble at that time.")),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-status-bad-gateway": False, "event-says-no-upstream": False},
            sentence=Text("No proxy complained of the server behind it."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'upstream|no server|refused' | tail -20"),
        Text(
            "Find the server that the probed route is passed to, and whether anything listens there: "
            "kubectl -n <ns> get endpointslices -o wide"
        ),
    ),
    references=("https://nginx.org/en/docs/http/ngx_http_upstream_module.html",),
)
