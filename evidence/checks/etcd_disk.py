"""Is one member's disk slow, or all of them?"""

from dataclasses import dataclass
from math import ceil

from domain.findings import Item, Series
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.prometheus import matcher
from evidence.etcd_choice import etcds
from evidence.etcd_series import Members, ask_more, increase, means, outstanding, read, series_of

# etcd's own guidance: WAL fsync p99 below 10 ms, backend commit p99 below 25 ms (etcd FAQ and tuning pages).
FSYNC_LIMIT_S, COMMIT_LIMIT_S = 0.010, 0.025
# A member stands out when its mean is five times its peers' median and well over the guidance.
FACTOR = 5.0
# One write that waits while its process stands still lifts the mean of a hundred; a slow disk slows many.
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


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(
        ask, f"({FSYNC}|{COMMIT})_(sum|count)|etcd_server_slow_apply_total|etcd_server_heartbeat_send_failures_total"
    )
    return {
        "etcd-fsync-one-slow": _one_slow(ask, members, (FSYNC, "WAL fsync", FSYNC_LIMIT_S)),
        "etcd-commit-one-slow": _one_slow(ask, members, (COMMIT, "backend commit", COMMIT_LIMIT_S)),
        "etcd-fsync-over-guidance": _guidance(members),
        "etcd-slow-applies": _counted(members, "etcd_server_slow_apply_total", "slow applies", "慢应用次数"),
        "etcd-heartbeat-failures": _counted(
            members, "etcd_server_heartbeat_send_failures_total", "heartbeats sent late", "心跳发送迟延次数"
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
    why = Text(f"fewer than two members did any {what}", f"执行过 {what} 的成员少于两个")
    return MeasureResult(
        None, Text(f"Whether one member's {what} is slow is unknown.", f"无法比较各成员的 {what}。"), why_unknown=why
    )


def _one_slow(ask: Ask, members: Members, asked: tuple[str, str, float]) -> MeasureResult:
    metric, what, limit = asked
    values = _means(members, metric)
    if len(values) < 2:
        return _silent(what)
    spreads = _spreads(ask, members, metric, limit)
    worst = outstanding(values, 3 * limit, FACTOR)
    name = worst or max(sorted(values), key=lambda n: values[n])
    items = tuple(Item(n, v, spreads[n].shown if n in spreads else "", v > limit) for n, v in sorted(values.items()))
    seen = bool(worst) and not _few(spreads, worst)
    told = _slow_text(values, name, what) if seen else _even_text(values, name, what, bool(worst))
    return MeasureResult(seen, told, values[name], limit, name, items=items, series=_charts(members, metric))


def _few(spreads: dict[str, Spread], name: str) -> bool:
    """Whether the mean stands out for a few writes only, as when the process stood still during one of them."""
    return name in spreads and spreads[name].slow < SLOW_SHARE


def _slow_text(values: dict[str, float], name: str, what: str) -> Text:
    # Said as "at most", so a value below a tenth of a millisecond is rounded up, not down to nothing.
    rest = max(0.0001, *(v for n, v in values.items() if n != name))
    return Text(
        f"{what[0].upper()}{what[1:]} of {name} takes {values[name] * 1000:.0f} ms on average, of its peers at most "
        f"{rest * 1000:.1f} ms.",
        f"{name} 的 {what} 平均耗时 {values[name] * 1000:.0f} 毫秒，其他成员最多 {rest * 1000:.1f} 毫秒。",
    )


def _even_text(values: dict[str, float], name: str, what: str, few: bool) -> Text:
    if few:
        return Text(
            f"A few {what}s of {name} took very long, almost all were quick: not a slow disk.",
            f"{name} 仅有极少数 {what} 耗时很长，其余都很快：并非磁盘过慢。",
        )
    slowest = ceil(values[name] * 10_000) / 10
    return Text(
        f"No member's {what} stands out; the slowest, {name}, takes at most {slowest:.1f} ms on average.",
        f"没有成员的 {what} 明显偏慢；最慢的 {name} 平均不超过 {slowest:.1f} 毫秒。",
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
        f"Even the mean WAL fsync of {name}, {values[name] * 1000:.1f} ms, is over the guidance of 10 ms for p99.",
        f"{name} 的 WAL fsync 均值 {values[name] * 1000:.1f} 毫秒，已超过 p99 建议值 10 毫秒。",
    )
    no = Text("The mean WAL fsync of every member is below 10 ms.", "所有成员的 WAL fsync 均值低于 10 毫秒。")
    return MeasureResult(over, yes if over else no, values[name], FSYNC_LIMIT_S, name)


def _counted(members: Members, metric: str, en: str, zh: str) -> MeasureResult:
    gained = {members.member(line): increase(line, members.onset_ms, members.end_ms) for line in members.of(metric)}
    if not gained:
        return MeasureResult(
            None, Text(f"{en}: unknown.", f"{zh}：未知。"), why_unknown=Text("no such series", "没有该序列")
        )
    name = max(sorted(gained), key=lambda n: gained[n])
    seen = gained[name] >= 3
    items = tuple(Item(n, v, exceeds=v >= 3) for n, v in sorted(gained.items()))
    yes = Text(f"{name}: {gained[name]:.0f} {en}.", f"{name}：{zh} {gained[name]:.0f}。")
    no = Text(f"No member had more than {gained[name]:.0f} {en}.", f"所有成员的{zh}不超过 {gained[name]:.0f}。")
    return MeasureResult(seen, yes if seen else no, gained[name], 3, name if seen else "", items=items)


def _measure(slug: str, en: str, zh: str, unit: str) -> Measure:
    return Measure(slug, Text(en, zh), unit)


CHECK = Check(
    "etcd-disk",
    Text("Is a member's disk slow?", "是否有成员磁盘缓慢？"),
    (
        _measure(
            "etcd-fsync-one-slow", "Is one member's WAL fsync far slower?", "是否有成员的 WAL fsync 明显偏慢？", "s"
        ),
        _measure(
            "etcd-commit-one-slow", "Is one member's backend commit far slower?", "是否有成员的后端提交明显偏慢？", "s"
        ),
        _measure("etcd-fsync-over-guidance", "Is WAL fsync over the guidance?", "WAL fsync 是否超过建议值？", "s"),
        _measure("etcd-slow-applies", "Were applies slow?", "应用日志是否缓慢？", "applies"),
        _measure("etcd-heartbeat-failures", "Were heartbeats sent late?", "心跳是否迟延？", "heartbeats"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=3,
)
