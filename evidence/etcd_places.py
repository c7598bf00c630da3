"""Where round trips rose: between two members, towards one, at one, or all over."""

from dataclasses import dataclass
from itertools import pairwise

from evidence.etcd_pairs import Pair

# Beside a rise of 900 ms one of 50 ms says nothing: a pair belongs to the rise with this share of its height.
CORE_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Place:
    """The pairs that rose most, and what they have in common.

    `path` holds the two members of the only pair that rose in both directions, in order. `towards` is the member that
    all others waited for while its own round trips stayed. `member` is the one whose pairs alone rose, `towards`
    included. `turns` holds several members that all others waited for one after the other, in order; `towards` is then
    the first. `single` says that only one direction of one pair rose, which places nothing.
    """

    core: tuple[Pair, ...]
    path: tuple[str, str] | None = None
    towards: str = ""
    member: str = ""
    single: bool = False
    turns: tuple[str, ...] = ()

    @property
    def crossing(self) -> int:
        """How many of them cross a zone border."""
        return sum(pair.crosses for pair in self.core)

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones between which they rose."""
        return tuple(sorted({zone for pair in self.core for zone in pair.zones if zone}))


def place_of(pairs: list[Pair]) -> Place:
    """The place of the rise. Without a pair that rose it is empty."""
    core = core_of(pairs)
    rest = [pair for pair in pairs if pair not in core]
    links = {frozenset((pair.start, pair.end)) for pair in core}
    if len(core) == 1:
        return Place(core, single=True)
    if len(links) == 1 and all(_others(rest, name) for name in min(links, default=frozenset())):
        first, second = sorted(min(links))
        return Place(core, path=(first, second))
    if turns := _turns(core, rest):
        return Place(core, towards=turns[0], turns=turns)
    towards = _towards(core, rest)
    return Place(core, towards=towards, member=towards or _common_member(core, rest))


def core_of(pairs: list[Pair]) -> tuple[Pair, ...]:
    """The risen pairs, without those whose rise is small beside the highest one."""
    risen = [pair for pair in pairs if pair.rose]
    highest = max((pair.peak - pair.before for pair in risen), default=0.0)
    return tuple(pair for pair in risen if pair.peak - pair.before >= CORE_SHARE * highest)


def _others(rest: list[Pair], name: str) -> bool:
    """Whether another pair of that member stayed as it was."""
    return any(name in (pair.start, pair.end) for pair in rest)


def _towards(core: tuple[Pair, ...], rest: list[Pair]) -> str:
    """The one target of at least two risen pairs whose own round trips were sampled since then, and stayed."""
    ends = {pair.end for pair in core}
    if len(ends) != 1 or len(core) < 2:
        return ""
    name, since_ms = min(ends), min(pair.rose_ms for pair in core)
    return name if any(p.start == name and p.points[-1].at_ms >= since_ms for p in rest) else ""


def _turns(core: tuple[Pair, ...], rest: list[Pair]) -> tuple[str, ...]:
    """Targets that all others waited for one after the other, each with a way of its own that stayed as it was.

    A path is as long in both directions, and what delays several members at once delays them at the same time.
    """
    since = {end: [pair.rose_ms for pair in core if pair.end == end] for end in {pair.end for pair in core}}
    order = sorted(since, key=lambda end: min(since[end]))
    apart = all(max(since[a]) < min(since[b]) for a, b in pairwise(order))
    alone = all(_waited_for(end, rest) and len(since[end]) > 1 for end in order)
    return tuple(order) if len(order) > 1 and apart and alone else ()


def _waited_for(name: str, rest: list[Pair]) -> bool:
    """Whether every way to that member rose, and one of its own did not."""
    return any(pair.start == name for pair in rest) and not any(pair.end == name for pair in rest)


def _common_member(core: tuple[Pair, ...], rest: list[Pair]) -> str:
    """The one member that all risen pairs share, if a pair without it stayed as it was; empty if there is none.

    Where two members are shared, the one that is the target of a risen pair is taken.
    """
    if not core:
        return ""
    shared = set.intersection(*({pair.start, pair.end} for pair in core))
    candidates = [name for name in sorted(shared) if any(name not in {p.start, p.end} for p in rest)]
    targets = {pair.end for pair in core}
    preferred = [name for name in candidates if name in targets]
    return next(iter(preferred + candidates), "")
