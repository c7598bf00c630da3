"""Peer round trip times by pair and zone, read for what they are: a smoothed value, sampled every 30 s."""

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from domain.findings import Item, Point, Series
from domain.text import Text
from evidence.checks.check import Ask, Check, Measure, Told, etcds
from evidence.clients.prometheus import Answered, matcher
from evidence.etcd_series import Members, means, read, series_of

RTT = "etcd_network_peer_round_trip_time_seconds"
# etcd observes each pair's smoothed round trip time every 30 s (every 5 s while the peer is unhealthy).
SAMPLED_MS = 35_000
# A rise: three times the pair's own level before, and at least 40 ms more.
FACTOR, FLOOR_S = 3.0, 0.040


@dataclass(frozen=True, slots=True)
class Pair:
    """One direction between two members: seconds before the incident, the highest since, and when it rose."""

    start: str
    end: str
    crosses: bool
    before: float
    peak: float
    rose_ms: int
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """`a → b`."""
        return f"{self.start} → {self.end}"

    @property
    def rose(self) -> bool:
        """Whether the peak is a rise over the pair's own level."""
        return self.rose_ms > 0


def _collect(ask: Ask) -> dict[str, Told]:
    metrics = f"{RTT}_(sum|count)|etcd_server_id|etcd_server_leader_changes_seen_total|process_start_time_seconds|up"
    members = read(ask, metrics)
    pairs = _pairs(members)
    told = _rises(members, pairs) if pairs else {}
    limit = 0.15 * members.etcd.election_timeout_ms / 1000
    server = ask.prometheus(members.etcd.prometheus)
    if server is not None:
        low, high = _edges(limit)
        selector = matcher(members.etcd.selector)
        query = f'sum by (instance, To, le) (increase({RTT}_bucket{{le=~"{low:g}|{high:g}|[+]Inf",{selector}}}[5m]))'
        mean = max((p.peak for p in pairs), default=None)
        told["etcd-rtt-over-limit"] = certainty(ask.range(server, query, step_s=30), (low, high, limit), mean)
    return told


def _pairs(members: Members) -> list[Pair]:
    ids, down = members.ids(), members.down()
    counts = {(c.labels.get("instance"), c.labels.get("To")): c for c in members.of(f"{RTT}_count")}
    found = []
    for line in members.of(f"{RTT}_sum"):
        count = counts.get((line.labels.get("instance"), line.labels.get("To")))
        start, end = members.member(line), ids.get(line.labels.get("To", ""), line.labels.get("To", ""))
        # A dead peer is sampled more often, with its last value: such a pair says nothing.
        if count is not None and end not in down and start not in down:
            found.append(_pair(members, start, end, means(line, count)))
    return [pair for pair in found if pair.points]


def _pair(members: Members, start: str, end: str, points: tuple[Point, ...]) -> Pair:
    early = [p.value for p in points if p.at_ms < members.onset_ms]
    late = [p for p in points if p.at_ms >= members.onset_ms]
    before = median(early) if early else min(p.value for p in points)
    high = [p for p in late if p.value > max(FACTOR * before, before + FLOOR_S)]
    zones = members.zone(start), members.zone(end)
    return Pair(
        start, end, zones[0] != zones[1] and all(zones), before,
        max((p.value for p in late), default=before), high[0].at_ms if high else 0, points,
    )  # fmt: skip


def _rises(members: Members, pairs: list[Pair]) -> dict[str, Told]:
    risen = [pair for pair in pairs if pair.rose]
    items = tuple(Item(p.name, p.peak, f"{p.before * 1000:.1f} ms before", p.rose) for p in pairs)
    series = tuple(series_of(p.name, p.points) for p in sorted(pairs, key=lambda p: -p.peak)[:8])
    common = _common(risen, pairs)
    return {
        "etcd-rtt-rise": _rise(risen, pairs, items, series),
        "etcd-rtt-one-member": _one_member(common, risen, items),
        "etcd-rtt-cross-zone": _cross_zone(risen, pairs, common, items),
        "etcd-rtt-before-switch": _order(risen, members.switch_ms()),
    }


def _common(risen: list[Pair], pairs: list[Pair]) -> str:
    """The one member that all risen pairs share, if pairs without it stayed as they were."""
    shared = set.intersection(*({p.start, p.end} for p in risen)) if risen else set()
    alone = [name for name in sorted(shared) if any(name not in {p.start, p.end} and not p.rose for p in pairs)]
    targets = {p.end for p in risen}
    return next((n for n in alone if n in targets), alone[0] if alone else "")


def _rise(risen: list[Pair], pairs: list[Pair], items: tuple[Item, ...], series: tuple[Series, ...]) -> Told:
    worst = max(pairs, key=lambda p: (p.peak, p.name))
    yes = Text(
        f"Round trip times of {len(risen)} of {len(pairs)} pairs rose; {worst.name} from {worst.before * 1000:.1f} "
        f"to {worst.peak * 1000:.0f} ms.",
        f"{len(pairs)} 对成员中有 {len(risen)} 对往返时延上升；{worst.name} 由 {worst.before * 1000:.1f} 升至 "
        f"{worst.peak * 1000:.0f} 毫秒。",
    )
    no = Text(
        f"No pair's round trip time rose over its own level; the highest is {worst.peak * 1000:.0f} ms ({worst.name}).",
        f"没有成员对的往返时延高于自身水平；最高 {worst.peak * 1000:.0f} 毫秒（{worst.name}）。",
    )
    first = datetime.fromtimestamp(min(p.rose_ms for p in risen) / 1000, UTC) if risen else None
    return Told(bool(risen), yes if risen else no, worst.peak, None, worst.name if risen else "", items=items,
                series=series, first_seen_at=first)  # fmt: skip


def _one_member(common: str, risen: list[Pair], items: tuple[Item, ...]) -> Told:
    yes = Text(
        f"Only pairs with {common} rose; the others stayed as they were: that member or its host, not the network.",
        f"只有涉及 {common} 的成员对上升，其余不变：问题在该成员或其主机，而非网络。",
    )
    no = Text("The rise is not limited to one member.", "上升并不限于某一个成员。") if risen else Text(
        "No pair rose.", "没有成员对上升。"
    )  # fmt: skip
    return Told(bool(common), yes if common else no, float(len(risen)), None, common, items=items)


def _cross_zone(risen: list[Pair], pairs: list[Pair], common: str, items: tuple[Item, ...]) -> Told:
    if not any(p.crosses for p in pairs):
        why = Text("no two members are declared in different zones", "没有声明位于不同可用区的成员")
        return Told(None, Text("Whether zones matter is unknown.", "无法判断是否跨可用区。"), why_unknown=why)
    crossing = [p for p in risen if p.crosses]
    seen = bool(risen) and len(crossing) == len(risen) and not common
    yes = Text(
        f"All {len(risen)} risen pairs cross a zone border and share no single member: the path between the zones.",
        f"{len(risen)} 对上升的成员均跨可用区，且不集中于单一成员：问题在可用区之间的链路。",
    )
    no = Text("The rise does not follow the zone borders.", "上升与可用区边界不一致。") if risen else Text(
        "No pair across the zones rose.", "没有跨可用区的成员对上升。"
    )  # fmt: skip
    return Told(seen, yes if seen else no, float(len(crossing)), None, items=items)


def _order(risen: list[Pair], switch_ms: int | None) -> Told:
    if switch_ms is None:
        return Told(False, Text("There was no switch to compare with.", "没有换主可供比较。"))
    if not risen:
        return Told(False, Text("Nothing rose before the switch.", "换主前没有上升。"))
    lag = (min(p.rose_ms for p in risen) - switch_ms) / 1000
    if 0 < lag <= SAMPLED_MS / 1000:
        why = Text(
            "pairs are sampled every 30 s, the rise shows after it began", "每 30 秒采样一次，上升晚于实际开始才可见"
        )
        return Told(None, Text(f"The rise was first sampled {lag:.0f} s after the switch.",
                               f"上升在换主后 {lag:.0f} 秒首次采样到。"), lag, why_unknown=why)  # fmt: skip
    yes = Text(f"The rise was sampled {-lag:.0f} s before the switch.", f"上升在换主前 {-lag:.0f} 秒采样到。")
    no = Text(f"The rise came {lag:.0f} s after the switch.", f"上升在换主后 {lag:.0f} 秒才出现。")
    return Told(lag <= 0, yes if lag <= 0 else no, lag)


def _edges(limit: float) -> tuple[float, float]:
    """The bucket borders around the limit; etcd's are 0.1 ms times powers of two."""
    low = 0.0001
    while low * 2 < limit:
        low *= 2
    return round(low, 4), round(low * 2, 4)


def certainty(answered: Answered, limits: tuple[float, float, float], mean: float | None) -> Told:
    """Over only when the whole bucket is over for more than 1 %; under only when nothing is above the lower border."""
    low, high, limit = limits
    shares = _shares(answered, low, high)
    if not shares:
        why = Text("there are no observations in the window", "时间窗内没有观测值")
        return Told(
            None,
            Text("Whether P99 is over the limit is unknown.", "无法判断 P99 是否超限。"),
            mean,
            limit,
            why_unknown=why,
        )
    over, above_low = max(s[1] for s in shares), max(s[0] for s in shares)
    shown = f"{limit * 1000:.0f} ms"
    if over > 0.01:
        border = f"{high * 1000:g}"
        sentence = Text(
            f"P99 of some pair is certainly over {shown}: {over:.0%} of its samples exceed {border} ms.",
            f"某成员对的 P99 确定超过 {shown}：{over:.0%} 的样本高于 {border} 毫秒。",
        )
        return Told(True, sentence, mean, limit)
    if above_low <= 0:
        return Told(
            False,
            Text(f"P99 of every pair is certainly under {shown}.", f"所有成员对的 P99 确定低于 {shown}。"),
            mean,
            limit,
        )
    why = Text(
        f"{shown} lies inside the bucket {low * 1000:g} to {high * 1000:g} ms, which P99 cannot look into",
        f"{shown} 位于 {low * 1000:g} 至 {high * 1000:g} 毫秒的桶内，P99 无法分辨",
    )
    at = f"{mean * 1000:.0f} ms" if mean is not None else "?"
    return Told(
        None,
        Text(f"Near the limit; the highest mean is {at}.", f"接近限值；最高均值 {at}。"),
        mean,
        limit,
        why_unknown=why,
    )


def _shares(answered: Answered, low: float, high: float) -> list[tuple[float, float]]:
    """Per pair and time: the share of samples above the lower and above the upper border."""
    table: dict[tuple[str, str, int], dict[str, float]] = {}
    for line in answered.lines:
        for p in line.points:
            key = (line.labels.get("instance", ""), line.labels.get("To", ""), p.at_ms)
            table.setdefault(key, {})[_le(line.labels.get("le", ""))] = p.value
    rows = [row for row in table.values() if row.get("+Inf", 0) >= 1]
    return [(1 - row.get(f"{low:g}", 0) / row["+Inf"], 1 - row.get(f"{high:g}", 0) / row["+Inf"]) for row in rows]


def _le(text: str) -> str:
    return text if text == "+Inf" or not text else f"{float(text):g}"


CHECK = Check(
    "etcd-peer-rtt",
    Text("Did round trip times between members rise, and where?", "成员间往返时延是否上升，出现在哪里？"),
    (
        Measure("etcd-rtt-over-limit", Text("Is P99 of a pair over the limit?", "是否有成员对 P99 超限？"), "s"),
        Measure("etcd-rtt-rise", Text("Did a pair's round trip time rise?", "是否有成员对时延上升？"), "s"),
        Measure("etcd-rtt-cross-zone", Text("Is the rise between zones?", "上升是否在可用区之间？"), "pairs"),
        Measure("etcd-rtt-one-member", Text("Is the rise at one member?", "上升是否集中于一个成员？"), "pairs"),
        Measure("etcd-rtt-before-switch", Text("Did the rise come before the switch?", "上升是否早于换主？"), "s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
)
