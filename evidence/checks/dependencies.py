"""Does something that the service depends on fail or answer slowly?"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from domain.alerts import ParsedAlert
from domain.entities import EntityRef, RelationKind
from domain.errors import Refused
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, answers_of, chart, measured_by, unmeasured
from evidence.clients.live_probe import probe
from evidence.clients.prometheus import Answered, Line, escape
from evidence.etcd_series import increase
from evidence.latencies import Latency, by_label
from evidence.onset import end_ms, onset_ms
from evidence.pods import MORE, MORE_STEP_S, about_probes, ask_any, ask_more, more_query, workload

KEYS = ("dependency", "peer_service", "server_address", "host", "target", "upstream", "grpc_service")
CLIENTS = ("http_client", "grpc_client")
SLOW_S, RISEN, FAILING = 0.5, 3.0, 0.2
# Each live probe may cost its time-out.
MOST = 2


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    slow = measured_by(ask, ("dependency-latency-high",), _latency)
    return slow | measured_by(ask, ("dependency-failing",), _failing)


def _latency(ask: Ask) -> dict[str, MeasureResult]:
    spent = ask_more(ask)
    window = onset_ms(ask.scope), end_ms(ask.scope)
    latencies = [latency for client in CLIENTS for latency in by_label(spent, KEYS, client, window)]
    called = [latency for latency in latencies if latency.since_s is not None]
    if not called:
        raise Refused(Text("the pod exports no durations of the calls that it makes, or none ended in the window"))
    slow = [latency for latency in called if latency.risen(SLOW_S, RISEN)]
    slowest = max(slow or called, key=lambda latency: (latency.since_s or 0.0, latency.name))
    took = slowest.since_s or 0.0
    items = tuple(Item(x.name, x.since_s, f"{x.count:.0f} calls", x in slow) for x in called[:12])
    series = chart([slowest.line], lambda _: slowest.name)
    result = MeasureResult(
        bool(slow), _took_text(slowest, took), took, SLOW_S, slowest.name, items=items, series=series
    )
    return {"dependency-latency-high": result}


def _took_text(slowest: Latency, took_s: float) -> Text:
    """With the mean before the onset where it is known."""
    if slowest.before_s is None:
        return Text("Calls to {name} took {took_s:.3f} s on average.", name=slowest.name, took_s=took_s)
    return Text(
        "Calls to {name} took {took_s:.3f} s on average, {before_s:.3f} s before.",
        name=slowest.name,
        took_s=took_s,
        before_s=slowest.before_s,
    )


def _failing(ask: Ask) -> dict[str, MeasureResult]:
    """By its own alert, by its failing probe or scrape, or by the errors that its caller counts."""
    names = _declared(ask.scope)
    alerted = [a for a in ask.scope.alerts if {e.name for e in a.entities} & names]
    if alerted:
        return {"dependency-failing": _alerted(alerted)}
    looks: list[Callable[[Ask], MeasureResult | None]] = [_probed, lambda a: _watched(a, names), _counted]
    found, errors = answers_of(partial(_look, ask, at, look) for at, look in enumerate(looks))
    witnesses = [witness for witness in found if witness is not None]
    if not witnesses:
        raise (
            errors[0]
            if errors
            else Refused(
                Text("no dependency is declared with [[target]] used_by, labelled, or counted by the pod's own client")
            )
        )
    best = min(witnesses, key=lambda witness: witness.rank)
    # An answer now does not prove one in the window: where the others could not be asked, it is unknown.
    if errors and best.is_live_probe and not best.result.seen:
        raise errors[0]
    return {"dependency-failing": best.result}


def _alerted(alerts: list[ParsedAlert]) -> MeasureResult:
    first = min(alerts, key=lambda a: (a.started_at, a.identity))
    sentence = Text("A dependency has its own alert: {name}.", name=first.name)
    return MeasureResult(True, sentence, float(len(alerts)), 0, first.name, first_seen_at=first.started_at, asked=False)


@dataclass(frozen=True, slots=True)
class _Witness:
    """The result of one way to look, `at` its place among them: 0 is the live probe."""

    at: int
    result: MeasureResult

    @property
    def is_live_probe(self) -> bool:
        """Whether it shows the present only."""
        return self.at == 0

    @property
    def rank(self) -> tuple[int, int]:
        """Seen comes first, then not seen, then unknown; a live probe shows the present only, so it passes last."""
        if self.result.seen:
            return 0, self.at
        return 1 if self.result.seen is False else 2, (self.at - 1) % 3


def _look(ask: Ask, at: int, look: Callable[[Ask], MeasureResult | None]) -> _Witness | None:
    """One way to look, its result with its own query; None where there is nothing to look at."""
    result = look(ask)
    if result is None:
        return None
    return _Witness(at, replace(result, query=ask.query, connection=ask.connection))


def _probed(ask: Ask) -> MeasureResult | None:
    """Declared targets that the workload uses, probed from here now."""
    own = workload(ask.scope)
    used = [t for t in ask.scope.connections.target if own in t.used_by][:MOST]
    outcomes = {t.name: probe(t, ask.transports) for t in used}
    if not outcomes:
        return None
    ask.query, ask.connection = "; ".join(f"PROBE {name}" for name in outcomes), ", ".join(outcomes)
    bad = [(name, o.steps[-1]) for name, o in outcomes.items() if not o.passes and o.steps]
    if not bad:
        names = ", ".join(outcomes)
        return MeasureResult(False, Text("A probe of {names} from here passes now.", names=names), 0.0, 0, names)
    name, step = bad[0]
    sentence = Text(
        "A probe of the dependency {name} from here fails now at {step}: {error}.",
        name=name,
        step=step.step,
        error=step.error,
    )
    return MeasureResult(True, sentence, float(len(bad)), 0, name)


def _declared(scope: Scope) -> set[str]:
    """Names of what the incident's things depend on, by relation or by a label of the alerts."""
    keys = {e.key for e in scope.entities}
    related = {
        r.end.rsplit("/", 1)[-1] for r in scope.relations if r.kind is RelationKind.DEPENDS_ON and r.start in keys
    }
    labelled = {a.labels["dependency"] for a in scope.alerts if a.labels.get("dependency")}
    return (related | labelled) - {e.name for e in scope.entities if _own(e, scope)}


def _own(entity: EntityRef, scope: Scope) -> bool:
    return entity.name == workload(scope)


def _watched(ask: Ask, names: set[str]) -> MeasureResult | None:
    """Probes and scrapes that carry the dependency's name, or the name of the workload that it serves."""
    own = escape(re.escape(workload(ask.scope)))
    parts = [f'probe_success{{used_by=~"(.*,)?{own}(,.*)?"}}'] if own else []
    if names:
        pattern = escape("|".join(re.escape(name) for name in sorted(names)[:20]))
        parts += [f'probe_success{{service=~"{pattern}"}}', f'up{{service=~"{pattern}"}}']
    lines = ask_any(ask, " or ".join(parts), step_s=15).lines if parts else ()
    return _judged(lines, onset_ms(ask.scope), end_ms(ask.scope)) if lines else None


def _judged(lines: Iterable[Line], start: int, end: int) -> MeasureResult:
    shares: dict[str, float] = {}
    for line in lines:
        values = line.between(start, end)
        if values:
            shares[_named(line)] = max(shares.get(_named(line), 0.0), sum(v == 0 for v in values) / len(values))
    if not shares:
        return unmeasured(Text("the dependency's probe has no samples in the window"))
    name = max(sorted(shares), key=lambda n: shares[n])
    sentence = Text("The dependency {name} failed {share:.0%} of its probes.", name=name, share=shares[name])
    items = tuple(Item(n, s, exceeds=s >= FAILING) for n, s in sorted(shares.items()))
    return MeasureResult(
        shares[name] >= FAILING, sentence, shares[name], FAILING, name, items=items, series=chart(list(lines), _named)
    )


def _named(line: Line) -> str:
    return line.labels.get("service") or line.labels.get("instance", "")


def _counted(ask: Ask) -> MeasureResult | None:
    """Calls by status code, as the pod's own client counts them; a call without a status has the code 0 or `error`."""
    counted = ask_any(ask, more_query(ask.scope), step_s=MORE_STEP_S)
    shares = _error_shares(counted, onset_ms(ask.scope), end_ms(ask.scope))
    if not shares:
        return None
    name = max(sorted(shares), key=lambda n: shares[n])
    sentence = Text("{share:.0%} of the calls to {name} failed.", share=shares[name], name=name)
    return MeasureResult(shares[name] >= FAILING, sentence, shares[name], FAILING, name)


def _error_shares(calls: Answered, start: int, end: int) -> dict[str, float]:
    """For each dependency that was called in the window, the share of the calls that failed."""
    first_ms = min((line.points[0].at_ms for line in calls.lines if line.points), default=0)
    total: dict[str, float] = {}
    failed: dict[str, float] = {}
    for line in calls.lines:
        if line.labels.get("__name__") != "http_client_requests_total" or not line.points:
            continue
        name = next((line.labels[key] for key in KEYS if line.labels.get(key)), "")
        count = increase(line, start, end) + _count_at_birth(line, first_ms, start)
        total[name] = total.get(name, 0.0) + count
        failed[name] = failed.get(name, 0.0) + (count if _is_error(line) else 0.0)
    return {name: failed[name] / count for name, count in total.items() if count >= 1}


def _count_at_birth(line: Line, first_ms: int, start: int) -> float:
    """A code that is met for the first time begins its own series, from nothing."""
    born = line.points[0]
    return born.value if first_ms < born.at_ms >= start else 0.0


def _is_error(line: Line) -> bool:
    """By the first letter of the status: 5xx, 0 (no status) or `error`."""
    code = line.labels.get("code", line.labels.get("status", ""))
    return code[:1] in {"5", "0", "e"}


PASSED = Charted(Text("the dependency's probe: 1 passed, 0 failed"))
SPENT = Charted(Text("seconds that all calls have taken so far"))
CHECK = Check(
    "dependencies",
    Text("Does a dependency fail?"),
    (
        Measure(
            "dependency-failing",
            Text("Does a dependency fail by its own witness?"),
            "share",
            charted=PASSED,
        ),
        Measure(
            "dependency-latency-high",
            Text("Are calls to a dependency slow?"),
            "s",
            charted=SPENT,
        ),
    ),
    about_probes,
    _collect,
    needs=("prometheus", "target"),
    cost=2 + MOST,
    metrics=("|".join(name for name in MORE if name.startswith(CLIENTS)),),
)
