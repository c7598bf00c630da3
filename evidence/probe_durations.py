"""How long the kubelet's successful probes took. Failed ones are not in this histogram, so it shows a limit drawing
near, never the failure itself."""

from evidence.clients.prometheus import Answered, Line
from evidence.pods import named

BUCKETS = "prober_probe_duration_seconds_bucket"


def slowest(answered: Answered) -> dict[tuple[str, str], float]:
    """By probe type and container: the 99th percentile in seconds over the window, interpolated within its bucket."""
    grouped: dict[tuple[str, str], dict[float, float]] = {}
    for line in named(answered, BUCKETS):
        if line.points:
            key = (line.labels.get("probe_type", ""), line.labels.get("container", ""))
            buckets = grouped.setdefault(key, {})
            limit = _limit(line)
            buckets[limit] = buckets.get(limit, 0.0) + _counted(line)
    found = {key: quantile(buckets, 0.99) for key, buckets in grouped.items()}
    return {key: value for key, value in found.items() if value is not None}


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
