"""Is the Kubernetes API server slow or failing, and is the etcd below it slow as it sees it?"""

from domain.entities import EntityKind
from domain.errors import Refused
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, chart, moment, unmeasured
from evidence.clients.prometheus import Answered, Line
from evidence.onset import end_ms, fault_at
from evidence.pods import about_probes, ask_any

# Watches and streams last as long as they like; they are no requests in this sense.
LATENCY = (
    'histogram_quantile(0.99, sum by (le) (rate(apiserver_request_duration_seconds_bucket{verb!~"WATCH|CONNECT",'
    'subresource!~"log|exec|attach|portforward|proxy"}[2m])))'
)
ERRORS = 'sum(rate(apiserver_request_total{code=~"5.."}[2m])) / sum(rate(apiserver_request_total[2m]))'
STORE = "histogram_quantile(0.99, sum by (le) (rate(etcd_request_duration_seconds_bucket[2m])))"
METRICS = (
    "apiserver_request_duration_seconds_bucket",
    "apiserver_request_total",
    "etcd_request_duration_seconds_bucket",
)
ASKED = "sum(rate(apiserver_request_total[2m]))"
# One second: the upstream objective for a call on a single object.
SLOW_S, FAILING, STORE_SLOW_S = 1.0, 0.05, 0.5
SAMPLES = 2
LEAD_MS = 120_000


def _labelled(name: str, query: str) -> str:
    return f'label_replace({query}, "told", "{name}", "", "")'


QUERY = " or ".join(
    _labelled(name, query) for name, query in
    (("latency", LATENCY), ("errors", ERRORS), ("store", STORE), ("asked", ASKED))
)  # fmt: skip


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_any(ask, QUERY, step_s=15)
    if not answered.lines:
        raise Refused(Text("the API server's own metrics are not scraped"))
    window = round(fault_at(ask.scope).timestamp() * 1000) - LEAD_MS, end_ms(ask.scope)
    return {
        "apiserver-slow": _slow(_line(answered, "latency"), window, SLOW_S, Text("API requests")),
        "apiserver-errors": _errors(answered, window),
        "apiserver-etcd-slow": _slow(_line(answered, "store"), window, STORE_SLOW_S, Text("Its requests to etcd")),
    }


def _line(answered: Answered, name: str) -> Line | None:
    return next((x for x in answered.lines if x.labels.get("told") == name), None)


def _slow(line: Line | None, window: tuple[int, int], limit: float, who: Text) -> MeasureResult:
    values = line.between(*window) if line else ()
    if line is None or not values:
        return unmeasured(Text("the API server's histograms are not there"))
    worst = max(values)
    # One sample is a rate over two minutes and may reach back to the server's own start.
    seen = sum(v >= limit for v in values) >= SAMPLES
    sentence = Text("{requests} took up to {p99_s:.2f} s (99 %).", requests=who, p99_s=worst)
    first = next((p.at_ms for p in line.points if p.at_ms >= window[0] and p.value >= limit), None)
    return MeasureResult(seen, sentence, worst, limit, series=chart([line], lambda _: "p99"),
                first_seen_at=moment(first) if seen else None)  # fmt: skip


def _errors(answered: Answered, window: tuple[int, int]) -> MeasureResult:
    """No 5xx series at all means none failed, as long as requests are counted."""
    line, asked = _line(answered, "errors"), _line(answered, "asked")
    if asked is None or not any(asked.between(*window)):
        return unmeasured(Text("the API server's requests are not counted"))
    worst = max(line.between(*window), default=0.0) if line else 0.0
    sentence = Text("Up to {share:.1%} of the API requests failed with 5xx.", share=worst)
    return MeasureResult(
        worst >= FAILING, sentence, worst, FAILING, series=chart([line] if line else [], lambda _: "5xx")
    )


def _about(scope: Scope) -> bool:
    return about_probes(scope) or any(scope.of_kind(k) for k in (EntityKind.HOST, EntityKind.CLUSTER))


CHECK = Check(
    "api-server",
    Text("Is the API server in order?"),
    (
        Measure("apiserver-slow", Text("Is it slow?"), "s"),
        Measure("apiserver-errors", Text("Does it fail?"), "share"),
        Measure("apiserver-etcd-slow", Text("Is etcd slow as it sees it?"), "s"),
    ),
    _about,
    _collect,
    metrics=METRICS,
    span_s=120.0,
)
