"""Are round trips long on their usual level? Usual is what was there long enough, and did not move."""

from statistics import median

from domain.findings import Item
from domain.text import Text
from evidence.check import MeasureResult
from evidence.etcd_pairs import LEAST_PAST_SAMPLES, Pair
from evidence.etcd_series import Members

# A level is a usual one when ten minutes of it are on record before the fault can have begun, or when the process's
# counters hold all of its life; and when two groups of samples of the window have it.
BASELINE_MS, STEADY_POINTS = 600_000, 2
# Steady is a level whose groups of samples differ by no more than this factor.
SPREAD = 2.0
# A process counts smoothed values that start at zero: the mean of the first ones is this share of the level or more.
LEAST_PAST_SHARE = 0.35


def steady_high(members: Members, pairs: list[Pair], slow_from: float) -> MeasureResult:
    """Whether round trips are high on their usual level and the leader stayed: slow, and no fault that began.

    `slow_from` is the level in seconds from which on a pair is slow.
    """
    levels = {pair: median(p.value for p in pair.points) for pair in pairs if len(pair.points) >= STEADY_POINTS}
    if not levels:
        return _unknown(Text("no pair was sampled twice in the window"), None, slow_from, ())
    items = tuple(Item(pair.name, level, pair.where, level >= slow_from) for pair, level in levels.items())
    slowest = max(levels, key=lambda pair: (levels[pair], pair.name))
    level = levels[slowest]
    if level < slow_from:
        sentence = Text(
            "No pair is always slow; the slowest level is {level_ms:.1f} ms ({name}).",
            level_ms=level * 1000,
            name=slowest.name,
        )
        return MeasureResult(False, sentence, level, slow_from, items=items)
    slow = [pair for pair in levels if levels[pair] >= slow_from]
    if members.switch_ms() is not None or any(pair.rose for pair in pairs) or any(_moved(pair) for pair in slow):
        return MeasureResult(False, Text("Round trips were not steady."), level, slow_from, items=items)
    if not all(_known_long(pair, members.onset_ms) for pair in slow):
        why = Text(
            "less than {minutes:.0f} minutes before the fault are on record, which a usual level takes",
            minutes=BASELINE_MS / 60_000,
        )
        return _unknown(why, level, slow_from, items)
    sentence = Text(
        "{name} always takes {level_ms:.0f} ms, which is long for its election timeout (from {limit_ms:g} ms on), and"
        " the leader stayed: slow, and nothing new.",
        name=slowest.name,
        level_ms=level * 1000,
        limit_ms=slow_from * 1000,
    )
    return MeasureResult(True, sentence, level, slow_from, slowest.name, items=items)


def _unknown(why: Text, level: float | None, slow_from: float, items: tuple[Item, ...]) -> MeasureResult:
    sentence = Text("Whether round trips are always slow is unknown.")
    return MeasureResult(None, sentence, level, slow_from, why_unknown=why, items=items)


def _moved(pair: Pair) -> bool:
    """Whether its level was another one at any time of the record, or before it."""
    values = [point.value for point in pair.points]
    if pair.past >= LEAST_PAST_SAMPLES and pair.past_mean < LEAST_PAST_SHARE * min(values):
        return True
    return max(values) > SPREAD * min(values)


def _known_long(pair: Pair, onset_ms: int) -> bool:
    """Whether the record or the process's own counters reach back far enough."""
    recorded = onset_ms - pair.points[0].at_ms
    return recorded >= BASELINE_MS or pair.past >= LEAST_PAST_SAMPLES
