"""The matrix of member pairs: round trip times by direction and zone, dead peers discounted, P99 read by its bucket."""

from dataclasses import dataclass, replace
from statistics import median, quantiles

from domain.findings import Item, Point
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_series import Members, increase, means

RTT = "etcd_network_peer_round_trip_time_seconds"
# etcd observes each pair's smoothed round trip time every 30 s (every 5 s while the peer is unhealthy).
SAMPLED_MS = 35_000
# Fewer samples than these, at the start of a process, are still on their way up from zero.
LEAST_PAST_SAMPLES = 6
# One of the about 20 samples that five minutes of a pair hold.
ONE_SAMPLE = 0.05
# A rise: three times the pair's own level before, and at least 40 ms more.
FACTOR, FLOOR_S = 3.0, 0.040


@dataclass(frozen=True, slots=True)
class Pair:
    """One direction between two members, in seconds.

    `before` is its own level before the incident, `peak` the highest group of samples since, `mean` the mean
    of all samples since, `rose_ms` when it left its level (0: it did not). `stale` counts the samples that were
    thrown away: a peer that does not answer is sampled six times as often, always with its last smoothed value.
    `past` counts the samples that the process had taken before it was first scraped in the window, and
    `past_mean` is what they took.
    """

    start: str
    end: str
    zones: tuple[str, str]
    before: float
    peak: float
    mean: float
    rose_ms: int
    points: tuple[Point, ...]
    stale: int = 0
    past: int = 0
    past_mean: float = 0.0

    @property
    def name(self) -> str:
        """`a → b`."""
        return f"{self.start} → {self.end}"

    @property
    def crosses(self) -> bool:
        """Whether its ends are declared in different zones."""
        return self.zones[0] != self.zones[1] and all(self.zones)

    @property
    def rose(self) -> bool:
        """Whether the peak is a rise over the pair's own level."""
        return self.rose_ms > 0

    @property
    def where(self) -> str:
        """`zone-a → zone-b`, empty where no zone is declared."""
        return " → ".join(self.zones) if all(self.zones) else ""

    def item(self) -> Item:
        """Its row of the matrix; the value is the peak in seconds."""
        parts = [self.where] if self.where else []
        parts.append(f"{self.before * 1000:.1f} → {self.peak * 1000:.1f} ms")
        if self.stale:
            parts.append(f"∅ {self.stale}")
        return Item(self.name, self.peak, "; ".join(parts), self.rose)


def pairs_of(members: Members) -> list[Pair]:
    """All pairs of which anything is known, without those whose peer is dead at the end."""
    ids, down = members.ids(), members.down()
    counts = {(c.labels.get("instance"), c.labels.get("To")): c for c in members.of(f"{RTT}_count")}
    found = []
    for line in members.of(f"{RTT}_sum"):
        count = counts.get((line.labels.get("instance"), line.labels.get("To")))
        start, end = members.member(line), ids.get(line.labels.get("To", ""), line.labels.get("To", ""))
        if count is not None and end not in down and start not in down:
            found.append(_pair(members, (start, end), line, count))
    return [pair for pair in found if pair.points]


def dead(members: Members) -> tuple[str, ...]:
    """Members that do not answer at the end, so that their pairs are no evidence."""
    return tuple(sorted(members.down()))


def _pair(members: Members, ends: tuple[str, str], total: Line, count: Line) -> Pair:
    """The pair whose round trip times `total` sums up and `count` counts; samples from absences are left out."""
    samples = means(total, count)
    absences = [span for name in ends for span in members.gone(name)]
    points = tuple(point for point in samples if not _during(point, absences))
    past = _samples_before_first_scrape(total, count)
    before = _level_before(members, points, total, past)
    late = [point for point in points if point.at_ms >= members.onset_ms]
    return Pair(
        start=ends[0],
        end=ends[1],
        zones=(members.zone(ends[0]), members.zone(ends[1])),
        before=before,
        peak=max((point.value for point in late), default=before),
        mean=_mean(late, before) if absences else _mean_since_onset(members, total, count, _mean(late, before)),
        rose_ms=_rose_ms(points, members.onset_ms, before),
        points=points,
        stale=len(samples) - len(points),
        past=past,
        past_mean=total.points[0].value / past if past else 0.0,
    )


def _during(point: Point, spans: list[tuple[int, int]]) -> bool:
    """Whether a group of samples ended within one of these spans, or with it."""
    return any(since < point.at_ms <= until for since, until in spans)


def _samples_before_first_scrape(total: Line, count: Line) -> int:
    if not count.points or not total.points:
        return 0
    return round(count.points[0].value)


def _level_before(members: Members, points: tuple[Point, ...], total: Line, past: int) -> float:
    """The usual level before the onset, in seconds.

    Without a sample before the onset it is the mean of what the counters already held at the first scrape; where
    they held too little, it is how the record begins, or its lowest sample where it begins within the rise, or 0.
    """
    early = [point.value for point in points if point.at_ms < members.onset_ms]
    if early:
        return _level(early)
    if past >= LEAST_PAST_SAMPLES:
        return total.points[0].value / past
    lowest = min((point.value for point in points), default=0.0)
    first = sum(point.value for point in points[:2]) / 2 if len(points) > 2 else lowest
    return lowest if first > bar(lowest) else first


def _mean_since_onset(members: Members, total: Line, count: Line, otherwise: float) -> float:
    """The mean of all samples since the onset, by the counters; `otherwise` where there are none."""
    samples = increase(count, members.onset_ms, members.end_ms)
    if samples <= 0:
        return otherwise
    return increase(total, members.onset_ms, members.end_ms) / samples


def _level(values: list[float]) -> float:
    """The usual level: the lower quartile, since an alert with a long `for` starts well after its rise."""
    return quantiles(values, n=4)[0] if len(values) >= 4 else median(values)


def _mean(points: list[Point], otherwise: float) -> float:
    return sum(p.value for p in points) / len(points) if points else otherwise


def bar(level: float) -> float:
    """Above it a round trip has risen over that level; both in seconds."""
    return max(FACTOR * level, level + FLOOR_S)


def _rose_ms(points: tuple[Point, ...], onset_ms: int, before: float) -> int:
    """The start of the first stretch of high samples that reaches into the incident; 0 when there is none."""
    limit, start = bar(before), 0
    for point in points:
        if point.value <= limit:
            start = 0
            continue
        start = start or point.at_ms
        if point.at_ms >= onset_ms:
            return start
    return 0


def edges(limit: float) -> tuple[float, float]:
    """The bucket borders around the limit; etcd's are 0.1 ms times powers of two."""
    low = 0.0001
    while low * 2 < limit:
        low *= 2
    return round(low, 4), round(low * 2, 4)


@dataclass(frozen=True, slots=True)
class Tail:
    """How one pair's samples lie around the bucket that holds the limit, at their worst.

    `above_low` and `above_high` are the largest shares over the bucket's lower and upper border.
    """

    instance: str
    to: str
    above_low: float
    above_high: float

    @property
    def over(self) -> bool | None:
        """P99 against the limit: True certainly over, False certainly under, None unknown."""
        if self.above_high > 0.01:
            return True
        return False if self.above_low <= 0 else None

    def with_peak(self, peak: float, low: float, high: float) -> "Tail":
        """Counts a group of samples whose mean is `peak`: one of them at least lies above that.

        The quantile's query has a point every 30 s and may miss the newest samples.
        """
        above_low = max(self.above_low, ONE_SAMPLE if peak > low else 0.0)
        return replace(self, above_low=above_low, above_high=max(self.above_high, ONE_SAMPLE if peak > high else 0.0))

    def interval(self, low: float, high: float) -> str:
        """Where P99 lies, in ms."""
        if self.over is None:
            return f"{low * 1000:g}–{high * 1000:g} ms"
        return f"> {high * 1000:g} ms" if self.over else f"≤ {low * 1000:g} ms"


def tails(answered: Answered, low: float, high: float, since_ms: int = 0) -> list[Tail]:
    """One tail per pair with samples at or after `since_ms`, in order of their labels."""
    table: dict[tuple[str, str, int], dict[str, float]] = {}
    for line in answered.lines:
        for p in line.points:
            key = (line.labels.get("instance", ""), line.labels.get("To", ""), p.at_ms)
            table.setdefault(key, {})[_le(line.labels.get("le", ""))] = p.value
    worst: dict[tuple[str, str], tuple[float, float]] = {}
    for (instance, to, at_ms), row in sorted(table.items()):
        if at_ms >= since_ms and row.get("+Inf", 0) >= 1:
            share = _above(row, low), _above(row, high)
            known = worst.get((instance, to), (0.0, 0.0))
            worst[instance, to] = (max(share[0], known[0]), max(share[1], known[1]))
    return [Tail(*key, *shares) for key, shares in sorted(worst.items())]


def _above(row: dict[str, float], border: float) -> float:
    return 1 - row.get(f"{border:g}", 0) / row["+Inf"]


def _le(text: str) -> str:
    return text if text == "+Inf" or not text else f"{float(text):g}"
