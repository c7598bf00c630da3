"""Is one member's disk slow, or all of them?"""

from domain.findings import Item, Series
from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, etcds
from evidence.etcd_series import Members, increase, means, outstanding, read, series_of

# etcd's own guidance: WAL fsync p99 below 10 ms, backend commit p99 below 25 ms (etcd FAQ and tuning pages).
FSYNC_LIMIT_S, COMMIT_LIMIT_S = 0.010, 0.025
# A member stands out when its mean is five times its peers' median and well over the guidance.
FACTOR = 5.0
FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"


def _collect(ask: Ask) -> dict[str, Told]:
    members = read(
        ask, f"({FSYNC}|{COMMIT})_(sum|count)|etcd_server_slow_apply_total|etcd_server_heartbeat_send_failures_total"
    )
    return {
        "etcd-fsync-one-slow": _one_slow(members, FSYNC, "WAL fsync", FSYNC_LIMIT_S),
        "etcd-commit-one-slow": _one_slow(members, COMMIT, "backend commit", COMMIT_LIMIT_S),
        "etcd-fsync-over-guidance": _guidance(members),
        "etcd-slow-applies": _counted(members, "etcd_server_slow_apply_total", "slow applies", "慢应用次数"),
        "etcd-heartbeat-failures": _counted(
            members, "etcd_server_heartbeat_send_failures_total", "heartbeats sent late", "心跳发送迟延次数"
        ),
    }


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


def _silent(values: dict[str, float], what: str) -> Told:
    why = Text(f"fewer than two members did any {what}", f"执行过 {what} 的成员少于两个")
    return Told(
        None, Text(f"Whether one member's {what} is slow is unknown.", f"无法比较各成员的 {what}。"), why_unknown=why
    )


def _one_slow(members: Members, metric: str, what: str, limit: float) -> Told:
    values = _means(members, metric)
    if len(values) < 2:
        return _silent(values, what)
    worst = outstanding(values, 3 * limit, FACTOR)
    name = worst or max(sorted(values), key=lambda n: values[n])
    items = tuple(Item(n, v, exceeds=v > limit) for n, v in sorted(values.items()))
    # Said as "at most", so a value below a tenth of a millisecond is rounded up, not down to nothing.
    rest = max(0.0001, *(v for n, v in values.items() if n != name))
    yes = Text(
        f"{what} of {name} takes {values[name] * 1000:.0f} ms on average, of its peers at most {rest * 1000:.1f} ms.",
        f"{name} 的 {what} 平均耗时 {values[name] * 1000:.0f} 毫秒，其他成员最多 {rest * 1000:.1f} 毫秒。",
    )
    no = Text(
        f"No member's {what} stands out; the slowest, {name}, takes {values[name] * 1000:.1f} ms on average.",
        f"没有成员的 {what} 明显偏慢；最慢的 {name} 平均 {values[name] * 1000:.1f} 毫秒。",
    )
    return Told(
        bool(worst), yes if worst else no, values[name], limit, name, items=items, series=_charts(members, metric)
    )


def _charts(members: Members, metric: str) -> tuple[Series, ...]:
    counts = {members.member(line): line for line in members.of(f"{metric}_count")}
    pairs = [(members.member(s), s) for s in members.of(f"{metric}_sum")]
    return tuple(series_of(name, means(line, counts[name])) for name, line in pairs if name in counts)


def _guidance(members: Members) -> Told:
    values = _means(members, FSYNC)
    if not values:
        return _silent(values, "WAL fsync")
    name = max(sorted(values), key=lambda n: values[n])
    over = values[name] > FSYNC_LIMIT_S
    yes = Text(
        f"Even the mean WAL fsync of {name}, {values[name] * 1000:.1f} ms, is over the guidance of 10 ms for p99.",
        f"{name} 的 WAL fsync 均值 {values[name] * 1000:.1f} 毫秒，已超过 p99 建议值 10 毫秒。",
    )
    no = Text("The mean WAL fsync of every member is below 10 ms.", "所有成员的 WAL fsync 均值低于 10 毫秒。")
    return Told(over, yes if over else no, values[name], FSYNC_LIMIT_S, name)


def _counted(members: Members, metric: str, en: str, zh: str) -> Told:
    gained = {members.member(line): increase(line, members.onset_ms, members.end_ms) for line in members.of(metric)}
    if not gained:
        return Told(None, Text(f"{en}: unknown.", f"{zh}：未知。"), why_unknown=Text("no such series", "没有该序列"))
    name = max(sorted(gained), key=lambda n: gained[n])
    seen = gained[name] >= 3
    items = tuple(Item(n, v, exceeds=v >= 3) for n, v in sorted(gained.items()))
    yes = Text(f"{name}: {gained[name]:.0f} {en}.", f"{name}：{zh} {gained[name]:.0f}。")
    no = Text(f"No member had more than {gained[name]:.0f} {en}.", f"所有成员的{zh}不超过 {gained[name]:.0f}。")
    return Told(seen, yes if seen else no, gained[name], 3, name if seen else "", items=items)


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
)
