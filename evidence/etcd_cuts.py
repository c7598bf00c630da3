"""Which ways between members were cut for long while both ends were there: a start excuses them for a few scrapes."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.findings import Item
from evidence.etcd_series import Members
from evidence.etcd_watch import Span

ACTIVE = "etcd_network_active_peers"
# A process that ends is missed before the new one has begun, and its links are back within a few scrapes.
BEFORE_START_MS, AFTER_START_MS = 30_000, 45_000
# A way is cut when it was inactive for this long without a break.
CUT_MS = 20_000


@dataclass(frozen=True, slots=True)
class Cuts:
    """For each direction that a member reports, start to end: the longest span in which it was cut, or None."""

    reported: Mapping[tuple[str, str], Span | None]

    @classmethod
    def of(cls, members: Members, ids: Mapping[str, str]) -> "Cuts":
        """By the gauge of active peers, without the times in which one of the ends was away."""
        found: dict[tuple[str, str], Span | None] = {}
        for line in members.of(ACTIVE):
            peer = line.labels.get("Remote", "")
            ends = members.member(line), ids.get(peer, peer)
            away = [span for name in ends for span in absences(members, name)]
            states = [(p.at_ms, p.value == 0 and not within(p.at_ms, away)) for p in line.points]
            found[ends] = _longest([s for s in states if members.onset_ms <= s[0] <= members.end_ms])
        return cls(found)

    def isolated(self) -> list[str]:
        """Members that two or more peers report on, all of which could not reach it at one time, by name."""
        names = sorted({end for _, end in self.reported})
        return [name for name in names if len(self._to(name)) > 1 and self.since(name)]

    def reaches_others(self, name: str) -> bool:
        """Whether a member reports a way of its own that was not cut."""
        return any(span is None for (start, _), span in self.reported.items() if start == name)

    def began_with_start(self, members: Members, name: str) -> bool:
        """Whether the member was started when it began to be cut off."""
        started = members.restarts().get(name)
        return started is not None and abs(self.since(name) - started) <= BEFORE_START_MS + AFTER_START_MS

    def one_way(self) -> list[tuple[str, str]]:
        """Directions that are cut while the way back is open, where the target is reached by somebody else."""
        isolated = set(self.isolated())
        return [
            (start, end) for (start, end), span in sorted(self.reported.items())
            if span and self.reported.get((end, start), span) is None and end not in isolated
        ]  # fmt: skip

    def since(self, name: str) -> int:
        """When the last of its peers lost the member (epoch ms); 0 where none did."""
        return self._common(name)[0]

    def lasted_s(self, name: str) -> float:
        """For how long nobody reached the member."""
        start, end = self._common(name)
        return (end - start) / 1000

    def items(self) -> tuple[Item, ...]:
        """Per direction how long it was cut."""
        return tuple(
            Item(f"{start} → {end}", (span[1] - span[0]) / 1000 if span else 0.0, "", span is not None)
            for (start, end), span in sorted(self.reported.items())
        )

    def _to(self, name: str) -> list[Span | None]:
        return [span for (_, end), span in self.reported.items() if end == name]

    def _common(self, name: str) -> Span:
        """The span in which all ways to the member were cut; 0 to 0 where there is none that is long enough."""
        spans = self._to(name)
        known = [span for span in spans if span]
        if not known or len(known) < len(spans):
            return 0, 0
        start, end = max(s for s, _ in known), min(e for _, e in known)
        return (start, end) if end - start >= CUT_MS else (0, 0)


def absences(members: Members, name: str) -> list[Span]:
    """The times that excuse a member's links: it did not answer scrapes, or was started anew; and a while after."""
    gone = [(start - BEFORE_START_MS, end + AFTER_START_MS) for start, end in members.gone(name)]
    starts = members.starts(name)
    return gone + [(at_ms - BEFORE_START_MS, at_ms + AFTER_START_MS) for at_ms in starts]


def within(at_ms: int, spans: list[Span]) -> bool:
    """Whether a time lies in one of the spans."""
    return any(start <= at_ms <= end for start, end in spans)


def _longest(states: list[tuple[int, bool]]) -> Span | None:
    """The longest span of consecutive samples that are so; None where it is too short for a cut."""
    best, since = (0, 0), 0
    for at_ms, so in states:
        since = (since or at_ms) if so else 0
        if since and at_ms - since > best[1] - best[0]:
            best = since, at_ms
    return best if best[1] - best[0] >= CUT_MS else None
