"""Rates of counters: the worst stretch of the fault's time beside what was usual before it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evidence.clients.prometheus import Line
from evidence.etcd_series import Members, gain
from evidence.etcd_stretch import STRETCH_MS

# What is usual takes ten minutes of record before the fault.
BASELINE_MS = 600_000
Rates = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Rise:
    """A rate per second: the highest of the fault's time and when it began (epoch ms), and the usual one, if known."""

    highest: float
    since_ms: int
    usual: float | None

    def over(self, factor: float, floor: float) -> bool | None:
        """Whether it is over the floor and so many times what is usual; None where it is high and nothing is usual."""
        if self.highest < floor:
            return False
        return None if self.usual is None else self.highest >= factor * self.usual


def rise_of(members: Members, lines: Sequence[Line]) -> Rise | None:
    """Of the sum of these counters; None where there is no rate in the fault's time."""
    rates = _summed([_rates(line) for line in lines])
    early = [(at, rate) for at, rate in rates if at < members.onset_ms]
    late = [(at, rate) for at, rate in rates if members.onset_ms <= at <= members.end_ms]
    if not late:
        return None
    at_ms, highest = max(late, key=lambda r: (r[1], -r[0]))
    known = bool(early) and members.onset_ms - early[0][0] + STRETCH_MS >= BASELINE_MS
    return Rise(highest, at_ms - STRETCH_MS, median(rate for _, rate in early) if known else None)


def _rates(line: Line) -> Rates:
    """Per sample what the counter gained per second in the stretch before it."""
    times = [p.at_ms for p in line.points]
    totals = [0.0]
    for earlier, later in zip(line.points, line.points[1:], strict=False):
        totals.append(totals[-1] + gain(earlier, later))
    made = []
    for i, at_ms in enumerate(times):
        start = bisect_left(times, at_ms - STRETCH_MS)
        if times[start] <= at_ms - STRETCH_MS:
            made.append((at_ms, (totals[i] - totals[start]) * 1000 / (at_ms - times[start])))
    return made


def _summed(all_rates: list[Rates]) -> Rates:
    """Members are scraped at times of their own; steps of the query bring them together."""
    table: dict[int, float] = {}
    for rates in all_rates:
        for at_ms, rate in rates:
            table[at_ms] = table.get(at_ms, 0.0) + rate
    return sorted(table.items())
