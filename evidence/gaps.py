"""Gaps in the measuring: pauses of the metrics server, and scrape paths that were cut for a while.

A failed scrape (`up == 0`) is no gap by itself: an outage of the target looks the same. In a pause no target has
samples at all; behind a cut path the targets' own counters and start times tell that they worked on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import ProductError
from domain.findings import Point
from domain.scope import Scope
from evidence.check import Ask
from evidence.clients.prometheus import Line
from evidence.etcd_series import LEADERSHIP, read
from evidence.onset import LEAD, fault_at
from evidence.pods import POD_STATE, STATUS, about_probes, ask_any, ask_pods, named

# Of all targets: so many do not fail at one moment by themselves.
SHARE = 0.8
DOWN = "count(up == 0) / count(up)"
# Of each job: the age of its youngest sample, and the part of its targets whose scrapes failed.
AGES = "time() - max by (job) (timestamp(up))"
FAILED = "1 - avg by (job) (up)"
STEP_S, AGE_STEP_S = 5, 15
# Scrapes once a minute are usual at most; a job without a sample for longer was not scraped.
OLD_S = 90.0
# The condition of the alert begins with the gap, to a scrape and an evaluation.
NEAR = timedelta(seconds=75)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From and to in epoch ms; `value` is the worst in it."""

    start_ms: int
    end_ms: int
    value: float

    def near(self, first: datetime, last: datetime) -> bool:
        """Whether it has a moment between the two."""
        return self.start_ms <= last.timestamp() * 1000 and self.end_ms >= first.timestamp() * 1000


def spans(line: Line, least: float, apart_ms: int) -> list[Span]:
    """The times at which a value was `least` or more; samples within `apart_ms` are one time."""
    found: list[Span] = []
    for point in line.points:
        if point.value < least:
            continue
        if found and point.at_ms - found[-1].end_ms <= apart_ms:
            last = found[-1]
            found[-1] = Span(last.start_ms, point.at_ms, max(last.value, point.value))
        else:
            found.append(Span(point.at_ms, point.at_ms, point.value))
    return found


def pauses(ask: Ask) -> list[Span]:
    """Times at which no job had a fresh sample: the server itself paused. Raises the client's errors."""
    lines = ask_any(ask, AGES, step_s=AGE_STEP_S).lines
    youngest: dict[int, float] = {}
    for point in (p for line in lines for p in line.points):
        youngest[point.at_ms] = min(point.value, youngest.get(point.at_ms, point.value))
    points = tuple(Point(at, youngest[at]) for at in sorted(youngest))
    return spans(Line({}, points), OLD_S, 2 * AGE_STEP_S * 1000)


def cuts(ask: Ask, jobs: Iterable[str]) -> list[Span]:
    """Times at which every scrape of one of these jobs failed. Raises the client's errors."""
    wanted = set(jobs)
    lines = [x for x in ask_any(ask, FAILED, step_s=AGE_STEP_S).lines if x.labels.get("job") in wanted]
    return [span for line in lines for span in spans(line, 1.0, 2 * AGE_STEP_S * 1000)]


def outages(ask: Ask) -> list[Span]:
    """Times at which most scrapes of all targets failed. Raises the client's errors."""
    lines = ask_any(ask, DOWN, step_s=STEP_S).lines
    return [span for line in lines for span in spans(line, SHARE, 4 * STEP_S * 1000)]


def began_with(scope: Scope, found: Sequence[Span]) -> list[Span]:
    """Those with which the fault began: a gap that was over before, or that came later, explains nothing.

    Where no server told when the condition began to hold, the alert itself may have begun with it.
    """
    began = fault_at(scope)
    known = scope.fault is not None and bool(scope.fault.query)
    times = [(began - NEAR, began + NEAR)] + ([] if known else [(scope.started_at - LEAD, scope.started_at)])
    return [span for span in found if any(span.near(*time) for time in times)]


def worked_on(ask: Ask, span: Span) -> bool | None:
    """Whether what was not scraped worked on in a span, as its own series tell it; None where they do not."""
    if about_probes(ask.scope):
        return _pods_worked_on(ask, span)
    try:
        members = read(ask, LEADERSHIP)
    except ProductError:
        return None
    if not members.of("process_start_time_seconds"):
        return None
    switched = members.switch_ms()
    in_span = switched is not None and span.start_ms - 30_000 <= switched <= span.end_ms + 60_000
    return not (members.restarts() or members.leaderless() or members.down() or in_span)


def _pods_worked_on(ask: Ask, span: Span) -> bool | None:
    """Ready before and after, in every sample between, and never restarted."""
    try:
        answered = ask_pods(ask, POD_STATE)
    except ProductError:
        return None
    ready, restarts = named(answered, f"{STATUS}ready"), named(answered, f"{STATUS}restarts_total")
    after = [p.value for line in ready for p in line.points if p.at_ms > span.end_ms]
    if not after or not restarts:
        return None
    around = [v for line in ready for v in line.between(span.start_ms - 30_000, span.end_ms + 60_000)]
    counted = [line.between(span.start_ms - 60_000, span.end_ms + 60_000) for line in restarts]
    return all(v == 1 for v in (*around, *after)) and all(not v or v[-1] <= v[0] for v in counted)
