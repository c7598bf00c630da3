"""Which routes of the service are slow: only the probed one, or the others too?"""

from domain.errors import ProductError, Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, unmeasured
from evidence.clients.kubernetes import of
from evidence.latencies import Latency, by_label
from evidence.onset import end_ms, onset_ms
from evidence.pods import MORE, about_probes, ask_more, namespace
from evidence.probe_specs import ours, probes_of

KEYS = ("route", "handler", "path", "http_route", "uri", "endpoint", "grpc_method", "url")
# Where no alert names the probed route, these names are.
USUAL = {"/healthz", "/health", "/readyz", "/ready", "/livez", "/live", "/ping", "/status", "/-/healthy", "/-/ready",
         "/actuator/health", "/health/ready", "/health/live", "Check"}  # fmt: skip
SLOW_S = 0.5
RISEN = 3.0
SERVERS = ("http_request_duration", "http_server", "grpc_server")


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    answered = ask_more(ask)
    window = onset_ms(ask.scope), end_ms(ask.scope)
    routes = [x for only in SERVERS for x in by_label(answered, KEYS, only, window)]
    if not routes:
        raise Refused(Text("the pod exports no request durations by route"))
    with ask.aside():
        probed = _probed(ask)
    own = [r for r in routes if _plain(r.name) in probed]
    others = [r for r in routes if r not in own and _plain(r.name) != "/metrics"]
    return {
        "probe-route-slow": _slow_routes(own, Text("The probed route")),
        "other-routes-slow": _slow_routes(others, Text("Another route")),
    }


def _plain(route: str) -> str:
    return route.partition("?")[0].rstrip("/") or "/"


def _probed(ask: Ask) -> set[str]:
    """The paths that the pod's probes ask, by its spec or by the blackbox target; else the usual names."""
    alerted = {a.labels.get("instance", "") for a in ask.scope.alerts}
    paths = {"/" + x.split("://", 1)[1].partition("/")[2] for x in alerted if "://" in x}
    try:
        where = namespace(ask.scope)
        pods = ours(ask.kubernetes(of("api/v1", where, "pods")).pods(where), ask.scope)
        paths |= {p.path for pod in pods for p in probes_of(pod) if p.path}
    except ProductError:
        pass  # without the API the usual names must do
    return {_plain(p) for p in paths if p != "/"} or USUAL


def _slow_routes(routes: list[Latency], who: Text) -> MeasureResult:
    served = [r for r in routes if r.since_s is not None]
    if not served:
        return unmeasured(Text("no request of such a route ended in the window"))
    worst = max(sorted(served, key=lambda r: r.name), key=lambda r: (r.risen(SLOW_S, RISEN), r.since_s or 0))
    slow = [r for r in served if r.risen(SLOW_S, RISEN)]
    took = worst.since_s or 0.0
    sentence = (
        Text("{routes}, {name}, took {took_s:.3f} s on average.", routes=who, name=worst.name, took_s=took)
        if worst.before_s is None
        else Text(
            "{routes}, {name}, took {took_s:.3f} s on average, {before_s:.3f} s before.",
            routes=who,
            name=worst.name,
            took_s=took,
            before_s=worst.before_s,
        )
    )
    items = tuple(Item(r.name, r.since_s, f"{r.count:.0f} requests", r in slow) for r in served[:12])
    return MeasureResult(bool(slow), sentence, took, SLOW_S, worst.name, items=items,
                series=chart([worst.line], lambda _: worst.name))  # fmt: skip


ENDED = Text("The requests that ended were on time. A request that is still blocked is not in the histogram yet.")
SPENT = Charted(Text("seconds that all requests have taken so far"))
CHECK = Check(
    "request-routes",
    Text("Which routes are slow?"),
    (
        Measure(
            "probe-route-slow",
            Text("Is the probed route slow?"),
            "s",
            if_not=ENDED,
            charted=SPENT,
        ),
        Measure("other-routes-slow", Text("Are other routes slow?"), "s", if_not=ENDED, charted=SPENT),
    ),
    about_probes,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=2,
    metrics=("|".join(name for name in MORE if name.startswith(SERVERS)),),
)
