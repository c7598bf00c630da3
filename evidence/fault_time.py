"""Finds when a fault began and ended: by what the server keeps of the alert, and by the rule's own expression.

An alert starts late: its rule waits (`for`), and what it looks at is a rate or a mean over minutes. Prometheus and the
rulers of its kind keep `ALERTS_FOR_STATE`, whose value is the time at which the condition began to hold (`activeAt`);
the expression without its limit, over the three hours before, shows when its value rose.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from domain.alerts import ParsedAlert
from domain.errors import ProductError
from domain.scope import FaultTime, Scope
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Line, Prometheus, Rule, escape
from evidence.expressions import left_side, only_with
from evidence.onset import ended_at, episode, usual_start
from evidence.pods import ask_any
from evidence.recording import Transports

# More alerts than this begin no earlier; and a pattern has to end somewhere.
MOST = 20
STATE_STEP_S, STATE_LEAD = 15, timedelta(minutes=1)
BEFORE, STEP_S = timedelta(hours=3), 60
RANGE = re.compile(r"\[\s*\d")
# Fewer samples of calm than this tell no usual level.
LEAST_CALM = 20
# A value within this many of its usual deviations has not moved.
DEVIATIONS = 5.0


@dataclass(frozen=True, slots=True)
class _Active:
    """An alert, since when its condition held, and the labels that the server keeps of it."""

    alert: ParsedAlert
    at: datetime
    labels: Mapping[str, str]


def with_fault_time(scope: Scope, transports: Transports) -> Scope:
    """The scope with its fault's times; by its alerts alone where no server tells more."""
    ask = Ask(scope, transports)
    ended = ended_at(scope)
    try:
        active = _active(ask)
    except ProductError:
        active = None
    if active is None:
        known = Text("The alerts say when they fired; what their rules waited is taken from the published rules.")
        return replace(scope, fault=FaultTime(usual_start(scope), ended, known))
    found = _by_condition(ask, active, ended)
    try:
        risen = _risen(ask, active)
    except ProductError:
        risen = None
    return replace(scope, fault=_earlier(found, risen))


def _earlier(found: FaultTime, risen: FaultTime | None) -> FaultTime:
    return risen if risen and risen.began < found.began else found


def _active(ask: Ask) -> _Active | None:
    """The alert whose condition held first, and since when; None where the server kept nothing of the alerts."""
    own = episode(ask.scope)[:MOST]
    names = "|".join(sorted({re.escape(a.name) for a in own}))
    start = min(a.started_at for a in own) - STATE_LEAD
    query = f'ALERTS_FOR_STATE{{alertname=~"{escape(names)}"}}'
    lines = ask_any(ask, query, step_s=STATE_STEP_S, start=start.replace(microsecond=0)).lines
    times = [active for alert in own if (active := _active_alert(alert, lines))]
    return min(times, key=lambda active: active.at, default=None)


def _active_alert(alert: ParsedAlert, lines: Sequence[Line]) -> _Active | None:
    """Since when the condition of this alert held when it started; never after its start."""
    started_s = alert.started_at.timestamp()
    own = [line for line in lines if _is_of(line, alert)]
    times = [(p.value, line) for line in own for p in line.points if 0 < p.value <= started_s]
    if not times:
        return None
    since_s, line = max(times, key=lambda found: found[0])
    return _Active(alert, datetime.fromtimestamp(since_s, UTC), line.labels)


def _is_of(line: Line, alert: ParsedAlert) -> bool:
    """Whether a series has the alert's labels; a sender may have added or dropped some."""
    own = {k: v for k, v in line.labels.items() if k not in {"__name__", "alertname"}}
    return line.labels.get("alertname") == alert.name and all(alert.labels.get(k, v) == v for k, v in own.items())


def _by_condition(ask: Ask, active: _Active, ended: datetime | None) -> FaultTime:
    alert, at = active.alert, active.at
    sentence = Text(
        "The condition of {alert} held from {at} on; the alert started {waited_s:.0f} s later.",
        alert=alert.name,
        at=f"{at:%H:%M:%S}",
        waited_s=(alert.started_at - at).total_seconds(),
    )
    return FaultTime(at, ended, sentence, ask.query, ask.connection)


def _risen(ask: Ask, active: _Active) -> FaultTime | None:
    """When the value that the rule looks at left its usual level; None where no such moment shows.

    Only what looks back over a range can have left it before the condition held; nothing else is asked for.
    """
    alert, rule = active.alert, _rule(ask, active.alert.name)
    expression = left_side(rule.query) if rule else ""
    if rule is None or not RANGE.search(expression):
        return None
    own = {k: v for k, v in active.labels.items() if k not in {"__name__", "alertname", *rule.labels}}
    start = (active.at - BEFORE).replace(microsecond=0)
    lines = ask_any(ask, only_with(expression, own), step_s=STEP_S, start=start).lines
    rises = [at for line in lines if (at := rise_ms(line, round(active.at.timestamp() * 1000)))]
    if not rises:
        return None
    began = datetime.fromtimestamp(min(rises) / 1000, UTC)
    sentence = Text(
        "What {alert} looks at left its usual level at {at}, {lead_s:.0f} s before its condition held.",
        alert=alert.name,
        at=f"{began:%H:%M:%S}",
        lead_s=(active.at - began).total_seconds(),
    )
    return FaultTime(began, ended_at(ask.scope), sentence, ask.query, ask.connection)


def _rule(ask: Ask, name: str) -> Rule | None:
    server = ask.prometheus()
    if server is None:
        return None
    with ask.transports.client(server.name, server.url, server) as client:
        found = [rule for rule in Prometheus(client).rules(name) if rule.name == name]
    return found[0] if len({rule.query for rule in found}) == 1 else None


def rise_ms(line: Line, active_ms: int) -> int | None:
    """When a value passed half of the way from its usual level to that at `active_ms`, for good (epoch ms).

    The usual level is the median of the first half of what is there, of at least twenty samples; a value that is
    within five of its usual deviations (1.4826 times the median absolute one) there has not risen. None without both.
    """
    points = [p for p in line.points if p.at_ms <= active_ms]
    calm = [p.value for p in points[: len(points) // 2]]
    if len(calm) < LEAST_CALM:
        return None
    usual, last = median(calm), points[-1].value
    deviation = 1.4826 * median(abs(v - usual) for v in calm)
    if abs(last - usual) <= max(DEVIATIONS * deviation, 0.05 * abs(usual)):
        return None
    half, up = (usual + last) / 2, last > usual
    calm_at = [p.at_ms for p in points if (p.value < half if up else p.value > half)]
    return next((p.at_ms for p in points if p.at_ms > calm_at[-1]), None) if calm_at else None
