"""How long the kubelet's successful probes took. Failed ones are not in this histogram, so it shows a limit drawing
near, never the failure itself."""

from itertools import pairwise

from domain.errors import ProductError
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Answered, Line
from evidence.onset import end_ms, onset_ms
from evidence.pods import ask_pods, named

BUCKETS = "prober_probe_duration_seconds_bucket"
# For so long no probe succeeded while probes failed: that is an outage, and no limit that is a little too low.
OUTAGE_MS = 75_000

# Three quarters of a slow route's probes take half of their time-out or more.
MOST, HALF = 0.75, 0.5
FEW = Text("only few of the probes that succeed are slow, as in a fault that lets some through")


def mostly_failed(ask: Ask, kind: str) -> bool:
    """Whether probes of this type only failed for a time, so that the few that succeeded are no sample of the route.

    False where the kubelet does not count them.
    """
    try:
        with ask.aside():
            lines = [x for x in ask_pods(ask, "prober_probe_total").lines if x.labels.get("probe_type") == kind]
    except ProductError:
        return False
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    good, bad = (_rises(lines, result, start, end) for result in ("successful", "failed"))
    marks = [start, *good, end]
    return any(b - a >= OUTAGE_MS and len([x for x in bad if a < x < b]) > 2 for a, b in pairwise(marks))


def _rises(lines: list[Line], result: str, start: int, end: int) -> list[int]:
    """When the count of probes with that result rose, in epoch ms and in order."""
    counted = [x for x in lines if x.labels.get("result") == result]
    found = [b.at_ms for x in counted for a, b in pairwise(x.points) if b.value > a.value and start <= b.at_ms <= end]
    return sorted(found)


def slowest(answered: Answered, share: float = 0.99) -> dict[tuple[str, str], float]:
    """By probe type and container: the 99th percentile in seconds over the window, interpolated within its bucket."""
    grouped: dict[tuple[str, str], dict[float, float]] = {}
    for line in named(answered, BUCKETS):
        if line.points:
            key = (line.labels.get("probe_type", ""), line.labels.get("container", ""))
            buckets = grouped.setdefault(key, {})
            limit = _limit(line)
            buckets[limit] = buckets.get(limit, 0.0) + _counted(line)
    found = {key: quantile(buckets, share) for key, buckets in grouped.items()}
    return {key: value for key, value in found.items() if value is not None}


def are_few(answered: Answered, key: tuple[str, str], timeout_s: float) -> bool:
    """Whether only few of the successful probes are slow: a fault lets some through late, a slow route most of them."""
    return slowest(answered, MOST).get(key, 0.0) < HALF * timeout_s


def _limit(line: Line) -> float:
    try:
        return float(line.labels.get("le", ""))
    except ValueError:
        return float("inf")


def _counted(line: Line) -> float:
    """What was added in the window; a histogram that was there from its first sample on counts from then."""
    return max(0.0, line.points[-1].value - line.points[0].value)


def quantile(buckets: dict[float, float], share: float) -> float | None:
    """The value below which that share of the observations lies; None without observations."""
    total = max(buckets.values(), default=0.0)
    if total <= 0:
        return None
    below, lower = 0.0, 0.0
    for limit in sorted(buckets):
        count = buckets[limit]
        if count >= share * total:
            if limit == float("inf"):
                return lower
            return lower + (limit - lower) * (share * total - below) / max(count - below, 1e-9)
        below, lower = count, limit
    return lower
