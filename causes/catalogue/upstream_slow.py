"""The probed route is passed on by a proxy, and the server behind it answers too late."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="upstream-slow",
    layer="application",
    title=Text("The server behind the proxy is too slow"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-2.0,
    weights_from="The server's own words or status; the rest is judgement.",
    needs=frozenset({"event-status-gateway-late", "event-says-upstream-late"}),
    may_follow=frozenset({EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("event-status-gateway-late", supports=3.2),
        Term("event-says-upstream-late", supports=3.6),
        Term("dependency-latency-high", supports=1.2),
        Term("pod-crashed", supports=0.1, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "event-status-gateway-late": Sentences(
            supports=Text("A proxy answers 504 where it waited in vain for the server behind it.")
        ),
        "event-says-upstream-late": Sentences(supports=Text("The proxy says so itself.")),
        "dependency-latency-high": Sentences(supports=Text("Something that it depends on was slow at that time.")),
        "pod-crashed": Sentences(
            supports=Text("The container itself did not crash."), opposes=Text("The container itself crashed.")
        ),
    },
    exclusions=(
        Exclusion(
            when={"event-status-gateway-late": False, "event-says-upstream-late": False},
            sentence=Text("No proxy waited in vain for the server behind it."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("kubectl -n <ns> logs <pod> --since=30m | grep -iE 'timed out|timeout|504' | tail -20"),
        Text("Measure the server behind it directly, and let the probe ask a route that the proxy answers by itself."),
    ),
    references=("https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",),
)
