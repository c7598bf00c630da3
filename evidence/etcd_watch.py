"""When did the monitoring see the members, and when did so few of them work that there was no majority?"""

from collections.abc import Iterable
from itertools import pairwise

from evidence.etcd_series import Members

Span = tuple[int, int]
# Longer than three scrapes of 5 s without any member is no chance.
BLIND_MS = 15_000
# An election takes one or two of its timeouts, a few when votes are split; after so many there was nobody to elect.
ELECTIONS = 15


def blind(members: Members) -> list[Span]:
    """The spans since the onset in which no member at all was scraped (epoch ms): what was then is not known.

    They are those of the record: before its first sample nobody was watched yet, which is no gap.
    """
    good = sorted({p.at_ms for line in members.of("up") for p in line.points if p.value == 1})
    if not good:
        return []
    times = [*good, members.end_ms]
    return [(a, b) for a, b in pairwise(times) if b - a > BLIND_MS and b >= members.onset_ms]


def hidden(span: Span, spans: Iterable[Span]) -> bool:
    """Whether half of a span or more lies within the others: everybody was gone then, not one member."""
    covered = sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in spans)
    return covered * 2 >= max(1, span[1] - span[0])


def without_majority(members: Members) -> Span | None:
    """The longest span since the onset in which too few members answered scrapes, or none of them saw a leader.

    At least one member answered meanwhile: a monitoring that sees nobody says nothing. A member that sees a leader
    has a majority behind it, however few of them the monitoring reaches.
    """
    voters = len(members.etcd.member) or len({members.member(line) for line in members.of("up")})
    most_gone = voters - (voters // 2 + 1)
    up, led = _by_time(members, "up"), _by_time(members, "etcd_server_has_leader")
    gone = [(at, _too_few(values, led.get(at, {}), most_gone)) for at, values in up.items()]
    lost = [(at, not any(values.values())) for at, values in led.items()]
    spans = _spans(gone, 1) + _spans(lost, ELECTIONS * members.etcd.election_timeout_ms)
    return max(spans, key=lambda span: (span[1] - span[0], -span[0]), default=None)


def _too_few(up: dict[str, float], led: dict[str, float], most_gone: int) -> bool:
    """Whether more than so many are not scraped, and none of those that are sees a leader."""
    there = [name for name, value in up.items() if value == 1]
    gone = sum(value == 0 for value in up.values())
    return gone > most_gone and bool(there) and not any(led.get(name) == 1 for name in there)


def _by_time(members: Members, metric: str) -> dict[int, dict[str, float]]:
    """The values by member at each time since the onset, in order of time."""
    table: dict[int, dict[str, float]] = {}
    for line in members.of(metric):
        for point in line.points:
            if members.onset_ms <= point.at_ms <= members.end_ms:
                table.setdefault(point.at_ms, {})[members.member(line)] = point.value
    return dict(sorted(table.items()))


def _spans(states: list[tuple[int, bool]], least_ms: int) -> list[Span]:
    """From the first to the last of consecutive times at which it was so, where these lie `least_ms` apart or more."""
    found: list[Span] = []
    since = last = 0
    for at_ms, so in [*states, (0, False)]:
        if so:
            since, last = since or at_ms, at_ms
        elif since:
            found.append((since, last))
            since = 0
    return [span for span in found if span[1] - span[0] >= least_ms]
