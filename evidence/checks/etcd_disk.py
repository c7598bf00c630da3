"""Is one member's disk slow, or all of them?"""

from dataclasses import dataclass
from math import ceil

from domain.findings import Item, Series
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, alternatives
from evidence.clients.prometheus import matcher
from evidence.etcd_choice import etcds
from evidence.etcd_series import SPAN_S, Members, ask_more, increase, means, outstanding, read, series_of

# etcd's own guidance: WAL fsync p99 below 10 ms, backend commit p99 below 25 ms (etcd FAQ and tuning pages).
FSYNC_LIMIT_S, COMMIT_LIMIT_S = 0.010, 0.025
# A member stands out when its mean is five times its peers' median and well over the guidance.
FACTOR = 5.0
# One write that waits while its process is stopped lifts the mean of a hundred; a slow disk slows many.
SLOW_SHARE = 0.03
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"


@dataclass(frozen=True, slots=True)
class Spread:
    """How one member's writes are spread since shortly before the incident.

    `median` and `p99` are the upper borders of their buckets in seconds (infinite: beyond the last bucket),
    `slow` is the share of writes above the guidance.
    """

    median: float
    p99: float
    slow: float

    @property
    def shown(self) -> str:
        """For the detail table."""
        return f"P50 ≤ {self.median * 1000:g} ms; P99 ≤ {self.p99 * 1000:g} ms; {self.slow:.0%} slow"


METRICS = f"({FSYNC}|{COMMIT})_(sum|count)|etcd_server_slow_apply_total|etcd_server_heartbeat_send_failures_total"
# What is slow, where a sentence begins with it.
SUBJECTS = {"WAL fsync": Text("WAL fsync"), "backend commit": Text("Backend commit")}


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    return {
        "etcd-fsync-one-slow": _one_slow(ask, members, (FSYNC, "WAL fsync", FSYNC_LIMIT_S)),
        "etcd-commit-one-slow": _one_slow(ask, members, (COMMIT, "backend commit", COMMIT_LIMIT_S)),
        "etcd-fsync-over-guidance": _guidance(members),
        "etcd-slow-applies": _counted(members, "etcd_server_slow_apply_total", Text("slow applies")),
        "etcd-heartbeat-failures": _counted(
            members, "etcd_server_heartbeat_send_failures_total", Text("heartbeats sent late")
        ),
    }


def _spreads(ask: Ask, members: Members, metric: str, limit: float) -> dict[str, Spread]:
    """Per member, from the histogram; empty where it is not answered."""
    seconds = max(60, (members.end_ms - members.onset_ms) // 1000)
    selector = matcher(members.etcd.selector)
    query = f"sum by (instance, le) (increase({metric}_bucket{{{selector}}}[{seconds}s]))"
    table: dict[str, dict[float, float]] = {}
    for line in ask_more(ask, members.etcd, query, start=ask.window()[1]).lines:
        if line.points and (le := line.labels.get("le", "")):
            table.setdefault(members.member(line), {})[float(le)] = line.points[-1].value
    return {name: _spread(sorted(row.items()), limit) for name, row in table.items() if max(row.values()) >= 1}


def _spread(row: list[tuple[float, float]], limit: float) -> Spread:
    total = max(count for _, count in row)

    def at(share: float) -> float:
        return next((border for border, count in row if count >= share * total), row[-1][0])

    under = next((count for border, count in row if border >= limit), total)
    return Spread(at(0.5), at(0.99), max(0.0, 1 - under / total))


def _means(members: Members, metric: str) -> dict[str, float]:
    """Mean seconds per member since shortly before the incident; members without new observations are left out."""
    counts = {members.member(line): line for line in members.of(f"{metric}_count")}
    found = {}
    for line in members.of(f"{metric}_sum"):
        name = members.member(line)
        new = increase(counts[name], members.onset_ms, members.end_ms) if name in counts else 0
        if new > 0:
            found[name] = increase(line, members.onset_ms, members.end_ms) / new
    return found


def _silent(what: str) -> MeasureResult:
    why = Text("fewer than two members did any {what}", what=what)
    return MeasureResult(None, Text("Whether one member's {what} is slow is unknown.", what=what), why_unknown=why)


def _one_slow(ask: Ask, members: Members, asked: tuple[str, str, float]) -> MeasureResult:
    metric, what, limit = asked
    values = _means(members, metric)
    if len(values) < 2:
        return _silent(what)
    spreads = _spreads(ask, members, metric, limit)
    worst = outstanding(values, 3 * limit, FACTOR)
    name = worst or max(sorted(values), key=lambda n: values[n])
    shown = {member: spread.shown for member, spread in spreads.items()}
    items = tuple(Item(member, mean, shown.get(member, ""), mean > limit) for member, mean in sorted(values.items()))
    seen = bool(worst) and not _few(spreads, worst)
    sentence = _slow_text(values, name, what) if seen else _even_text(values, name, what, bool(worst))
    return MeasureResult(seen, sentence, values[name], limit, name, items=items, series=_charts(members, metric))


def _few(spreads: dict[str, Spread], name: str) -> bool:
    """Whether the mean stands out for a few writes only, as when the process was stopped during one of them."""
    return name in spreads and spreads[name].slow < SLOW_SHARE


def _slow_text(values: dict[str, float], name: str, what: str) -> Text:
    # The sentence reads "at most", so a value below a tenth of a millisecond is rounded up, not down to nothing.
    rest = max(0.0001, *(v for n, v in values.items() if n != name))
    return Text(
        "{what} of {name} takes {mean_ms:.0f} ms on average, of its peers at most {rest_ms:.1f} ms.",
        what=SUBJECTS[what],
        name=name,
        mean_ms=values[name] * 1000,
        rest_ms=rest * 1000,
    )


def _even_text(values: dict[str, float], name: str, what: str, few: bool) -> Text:
    if few:
        return Text(
            "A few {what}s of {name} took very long, almost all were quick: not a slow disk.", what=what, name=name
        )
    slowest = ceil(values[name] * 10_000) / 10
    return Text(
        "No member's {what} stands out; the slowest, {name}, takes at most {slowest_ms:.1f} ms on average.",
        what=what,
        name=name,
        slowest_ms=slowest,
    )


def _charts(members: Members, metric: str) -> tuple[Series, ...]:
    counts = {members.member(line): line for line in members.of(f"{metric}_count")}
    pairs = [(members.member(s), s) for s in members.of(f"{metric}_sum")]
    return tuple(series_of(name, means(line, counts[name])) for name, line in pairs if name in counts)


def _guidance(members: Members) -> MeasureResult:
    values = _means(members, FSYNC)
    if not values:
        return _silent("WAL fsync")
    name = max(sorted(values), key=lambda n: values[n])
    over = values[name] > FSYNC_LIMIT_S
    yes = Text(
        "Even the mean WAL fsync of {name}, {mean_ms:.1f} ms, is over the guidance of 10 ms for p99.",
        name=name,
        mean_ms=values[name] * 1000,
    )
    no = Text("The mean WAL fsync of every member is below 10 ms.")
    return MeasureResult(over, yes if over else no, values[name], FSYNC_LIMIT_S, name)


def _counted(members: Members, metric: str, what: Text) -> MeasureResult:
    gained = {members.member(line): increase(line, members.onset_ms, members.end_ms) for line in members.of(metric)}
    if not gained:
        return MeasureResult(None, Text("{what}: unknown.", what=what), why_unknown=Text("no such series"))
    name = max(sorted(gained), key=lambda n: gained[n])
    seen = gained[name] >= 3
    items = tuple(Item(n, v, exceeds=v >= 3) for n, v in sorted(gained.items()))
    yes = Text("{name}: {count:.0f} {what}.", name=name, count=gained[name], what=what)
    no = Text("No member had more than {count:.0f} {what}.", count=gained[name], what=what)
    return MeasureResult(seen, yes if seen else no, gained[name], 3, name if seen else "", items=items)


CHECK = Check(
    "etcd-disk",
    Text("Is a member's disk slow?"),
    (
        Measure("etcd-fsync-one-slow", Text("Is one member's WAL fsync far slower?"), "s"),
        Measure("etcd-commit-one-slow", Text("Is one member's backend commit far slower?"), "s"),
        Measure("etcd-fsync-over-guidance", Text("Is WAL fsync over the guidance?"), "s"),
        Measure("etcd-slow-applies", Text("Were applies slow?"), "applies"),
        Measure("etcd-heartbeat-failures", Text("Were heartbeats sent late?"), "heartbeats"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=3,
    metrics=alternatives(METRICS),
    span_s=SPAN_S,
)
