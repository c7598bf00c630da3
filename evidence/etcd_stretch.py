"""The worst stretch of a histogram's sum and count: what lasted seconds is not thinned out by the hour around it."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from evidence.clients.prometheus import Line
from evidence.etcd_series import Members

# A stretch lasts this long: four scrapes of 5 s, one of 30 s.
STRETCH_MS = 20_000
Sample = tuple[int, float, float]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which `count` observations were made, of `mean` each; from and to in epoch milliseconds."""

    start_ms: int
    end_ms: int
    mean: float
    count: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True, slots=True)
class Histogram:
    """Sum and count of one member's observations, sample by sample: time (epoch ms), sum, count."""

    samples: tuple[Sample, ...]

    def between(self, start_ms: int, end_ms: int) -> Stretch | None:
        """The mean in this time; None where nothing was observed, or the process began anew."""
        inside = [s for s in self.samples if start_ms <= s[0] <= end_ms]
        return _stretch(inside[0], inside[-1]) if len(inside) > 1 else None

    def worst(self) -> Stretch | None:
        """The stretch with the highest mean; of a shorter record it is all of it. None where nothing was observed."""
        return max(self._stretches(), key=lambda s: (s.mean, -s.start_ms), default=None)

    def over_since(self, limit: float) -> int:
        """When the first stretch began whose mean is at least `limit` (epoch ms); 0 where none is."""
        return next((s.start_ms for s in self._stretches() if s.mean >= limit), 0)

    def _stretches(self) -> list[Stretch]:
        times = [at_ms for at_ms, _, _ in self.samples]
        last = len(times) - 1
        ends = {i: min(last, bisect_left(times, at_ms + STRETCH_MS)) for i, at_ms in enumerate(times)}
        whole = [(i, end) for i, end in ends.items() if times[end] - times[i] >= STRETCH_MS] or [(0, last)]
        found = [_stretch(self.samples[i], self.samples[end]) for i, end in whole]
        return [stretch for stretch in found if stretch]


def _stretch(first: Sample, last: Sample) -> Stretch | None:
    """What was observed between two samples; a counter that fell began anew, and tells nothing across that."""
    gained, count = last[1] - first[1], last[2] - first[2]
    return Stretch(first[0], last[0], gained / count, count) if count > 0 and gained >= 0 else None


def histograms(members: Members, metric: str) -> dict[str, Histogram]:
    """Per member, from the last sample before the incident can have begun; members without samples are left out."""
    counts = {members.member(line): line for line in members.of(f"{metric}_count")}
    found = {}
    for line in members.of(f"{metric}_sum"):
        name = members.member(line)
        if name in counts and (samples := _samples(line, counts[name], members)):
            found[name] = Histogram(samples)
    return found


def _samples(total: Line, count: Line, members: Members) -> tuple[Sample, ...]:
    counts = {p.at_ms: p.value for p in count.points}
    pairs = [(p.at_ms, p.value, counts[p.at_ms]) for p in total.points if p.at_ms in counts]
    early = [s for s in pairs if s[0] < members.onset_ms]
    late = [s for s in pairs if members.onset_ms <= s[0] <= members.end_ms]
    return (*early[-1:], *_since_reset(late, early[-1:]))


def _since_reset(late: list[Sample], before: list[Sample]) -> list[Sample]:
    """The samples as if the counters had never begun anew: what they held before is added."""
    sums, counts, made = 0.0, 0.0, []
    for (_, s0, c0), (at_ms, s1, c1) in pairwise([*before, *late] if before else [late[0], *late] if late else []):
        if c1 < c0 or s1 < s0:
            sums, counts = sums + s0, counts + c0
        made.append((at_ms, s1 + sums, c1 + counts))
    return made
