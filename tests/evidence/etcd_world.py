"""More made series of an etcd, and the verdict that follows from all checks of it."""

from collections.abc import Sequence

from causes.rank import rank
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from domain.verdict import Verdict
from tests.evidence.made_series import IDS, MEMBER, NAMES, START_S, Level, Made, asked, gauge, scope

FSYNC, ACTIVE = "etcd_disk_wal_fsync_duration_seconds", "etcd_network_active_peers"
CHECKS = ("etcd-disk", "etcd-leader", "etcd-peer-rtt", "etcd-peers", "etcd-space", "etcd-load")
Answers = dict[str, list[dict[str, object]]]


def integrated(rate: Level, every_s: int = 5) -> Level:
    """A counter that gains `rate` per second."""
    table, total = {}, 0.0
    for at in range(START_S, 200, every_s):
        table[at] = total
        total += rate(at) * every_s
    return lambda s: table[s]


def disk(member: str, mean: Level, per_s: float = 2.0, metric: str = FSYNC) -> list[Made]:
    """Sum and count of writes with a mean of their own at each time."""
    return [
        gauge(f"{metric}_count", member, integrated(lambda s: per_s)),
        gauge(f"{metric}_sum", member, integrated(lambda s: per_s * mean(s))),
    ]


def between(start_s: int, end_s: int, inside: float, outside: float) -> Level:
    """One value within a time and another one around it."""
    return lambda s: inside if start_s <= s < end_s else outside


def links(cut: dict[tuple[str, str], Level] | None = None) -> list[Made]:
    """The gauge of active peers for all directions, some of them with values of their own."""
    return [
        gauge(ACTIVE, a, (cut or {}).get((a, b), 1.0), Local=IDS[a], Remote=IDS[b])
        for a in NAMES for b in NAMES if a != b
    ]  # fmt: skip


def recorded(series: list[Made], since_s: int) -> list[Made]:
    """The processes began shortly before that time, and were scraped from then on."""

    def value(made: Made, s: int) -> float | None:
        before = made.value(since_s - 30) if made.metric.startswith("etcd_network") else 0.0
        return (made.value(s) or 0.0) - (before or 0.0) if s >= since_s else None

    if since_s <= START_S:
        return series
    return [Made(m.metric, m.member, lambda s, m=m: value(m, s), m.labels) for m in series]  # type: ignore[misc]


def observed(series: list[Made], where: Scope | None = None, extra: Answers | None = None) -> dict[str, Finding]:
    """The findings of all checks of etcd's series, by measure."""
    found: dict[str, Finding] = {}
    for check in CHECKS:
        found |= asked(check, series, where, extra)
    return found


def said_now(*measures: str) -> list[Finding]:
    """What the members answer when they are asked at the end: nothing of these is so."""
    sentence = Text.rendered("All is well now.", "现在一切正常。")
    return [Finding(measure, "etcd-health", False, sentence) for measure in measures]


def judged(
    series: list[Made], where: Scope | None = None, extra: Answers | None = None, now: Sequence[Finding] = ()
) -> Verdict:
    """The verdict of the series, and of what the members say at the end."""
    there = where or scope(entities=[MEMBER])
    return rank(there, [*observed(series, there, extra).values(), *now])
