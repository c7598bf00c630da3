"""Mean latencies by a label, before a time and since, from the sum and count of any histogram or summary."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import increase


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one label value: mean seconds before and since (None without requests), and how many requests since."""

    name: str
    before_s: float | None
    since_s: float | None
    count: float
    line: Line

    def risen(self, floor_s: float, factor: float) -> bool:
        """Whether it is above the floor now, and above its own level before by that factor where that is known."""
        if self.since_s is None or self.since_s < floor_s:
            return False
        return self.before_s is None or self.since_s >= factor * self.before_s


def by_label(answered: Answered, keys: Sequence[str], only: str, window: tuple[int, int]) -> list[Latency]:
    """One entry per value of the first of `keys` that a line carries, for metrics whose name starts with `only`."""
    start, end = window
    sums, counts = dict(_parts(answered, only, "_sum", keys)), dict(_parts(answered, only, "_count", keys))
    found = []
    for name in sorted(set(sums) & set(counts)):
        early = max(0, min((p.at_ms for x in counts[name] for p in x.points), default=0))
        before = _mean(sums[name], counts[name], early, start)
        since = _mean(sums[name], counts[name], start, end)
        count = sum(increase(x, start, end) for x in counts[name])
        found.append(Latency(name, before, since, count, sums[name][0]))
    return found


def _parts(answered: Answered, only: str, ending: str, keys: Sequence[str]) -> Iterator[tuple[str, list[Line]]]:
    grouped: dict[str, list[Line]] = {}
    for line in answered.lines:
        metric = line.labels.get("__name__", "")
        value = next((line.labels[k] for k in keys if line.labels.get(k)), "")
        if metric.startswith(only) and metric.endswith(ending) and value and line.points:
            grouped.setdefault(value, []).append(line)
    yield from grouped.items()


def _mean(sums: list[Line], counts: list[Line], start: int, end: int) -> float | None:
    count = sum(increase(x, start, end) for x in counts)
    return sum(increase(x, start, end) for x in sums) / count if count > 0 else None
