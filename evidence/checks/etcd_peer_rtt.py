"""Peer round trip times by pair and zone, read for what they are: a smoothed value, sampled every 30 s."""

from datetime import datetime, timedelta
from statistics import median

from domain.findings import Item, Series
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, moment
from evidence.clients.prometheus import Answered, matcher
from evidence.etcd_choice import etcds
from evidence.etcd_pairs import RTT, SAMPLED_MS, Pair, Tail, common_member, dead, edges, pairs_of, tails
from evidence.etcd_series import LEADERSHIP, Members, ask_more, member_name, read, read_more, series_of, server_of

# The stock alert rule's 150 ms belongs to the default election timeout of 1000 ms; etcd's guidance is a timeout of
# at least ten round trips.
LIMIT_SHARE, GUIDANCE_SHARE = 0.15, 0.10
# A level is a usual one when it was there for this long and is seen in two groups of samples of the window.
STEADY_MS, STEADY_POINTS = 90_000, 2


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    metrics = f"{RTT}_(sum|count)|etcd_server_id|etcd_server_leader_changes_seen_total|process_start_time_seconds|up"
    members = read(ask, metrics)
    pairs, timeout_s = pairs_of(members), members.etcd.election_timeout_ms / 1000
    told = {}
    if pairs:
        leadership = read_more(ask, members.etcd, LEADERSHIP)
        told = _rises(members, pairs) | {
            "etcd-rtt-before-switch": _order([p for p in pairs if p.rose], members, leadership.leaderless()),
            "etcd-rtt-steady-high": _steady_high(pairs, GUIDANCE_SHARE * timeout_s, members.switch_ms()),
        }
    told["etcd-rtt-over-limit"] = _over_limit(ask, members, pairs, LIMIT_SHARE * timeout_s)
    return told


def _over_limit(ask: Ask, members: Members, pairs: list[Pair], limit: float) -> MeasureResult:
    low, high = edges(limit)
    selector = matcher(members.etcd.selector)
    query = f'sum by (instance, To, le) (increase({RTT}_bucket{{le=~"{low:g}|{high:g}|[+]Inf",{selector}}}[5m]))'
    answered = ask.range(server_of(ask, members.etcd), query, step_s=30)
    quantile = f"histogram_quantile(0.99, sum by (instance, To, le) (rate({RTT}_bucket{{{selector}}}[5m])))"
    numbers = _highest(ask_more(ask, members.etcd, quantile, _since(ask, members.onset_ms), step_s=30), members)
    ids, gone, peaks = members.ids(), dead(members), {p.name: p.peak for p in pairs}
    found = [(_name(members, ids, t.instance, t.to), t) for t in tails(answered, low, high, members.onset_ms)]
    alive = [
        (name, tail.with_peak(peaks.get(name, 0.0), low, high))
        for name, tail in found if not set(name.split(" → ")) & set(gone)
    ]  # fmt: skip
    means = {p.name: p.mean for p in pairs}
    items = tuple(_p99_item(name, t, (low, high, limit), means.get(name), numbers.get(name)) for name, t in alive)
    return certainty([t for _, t in alive], (low, high, limit), max(means.values(), default=None), items)


def _since(ask: Ask, onset_ms: int) -> datetime:
    """From about the onset, in whole steps before the end: the newest value must not be missed."""
    end = ask.window()[1]
    return end - timedelta(seconds=30 * max(1, -int((onset_ms / 1000 - end.timestamp()) // 30)))


def _name(members: Members, ids: dict[str, str], instance: str, to: str) -> str:
    return f"{member_name(members.etcd, instance)} → {ids.get(to, to)}"


def _highest(answered: Answered, members: Members) -> dict[str, float]:
    """The highest P99 per pair since shortly before the incident, in seconds."""
    ids, found = members.ids(), {}
    for line in answered.lines:
        values = line.between(members.onset_ms, members.end_ms)
        if values:
            found[_name(members, ids, line.labels.get("instance", ""), line.labels.get("To", ""))] = max(values)
    return found


def _p99_item(name: str, tail: Tail, limits: tuple[float, float, float], mean: float | None, p99: float | None) -> Item:
    low, high, limit = limits
    sign = {True: ">", False: "<", None: "≷"}[tail.over]
    said = f" ({p99 * 1000:.1f})" if p99 is not None else ""
    return Item(name, mean, f"P99 {tail.interval(low, high)}{said} {sign} {limit * 1000:g} ms", tail.over)


def certainty(
    found: list[Tail], limits: tuple[float, float, float], mean: float | None, items: tuple[Item, ...] = ()
) -> MeasureResult:
    """Over only when the whole bucket is over for more than 1 %; under only when nothing is above the lower border."""
    low, high, limit = limits
    if not found:
        why = Text("there are no observations in the window", "时间窗内没有观测值")
        sentence = Text("Whether P99 is over the limit is unknown.", "无法判断 P99 是否超限。")
        return MeasureResult(None, sentence, mean, limit, why_unknown=why)
    shown = f"{limit * 1000:g} ms"
    if over := max((t.above_high for t in found if t.over), default=0.0):
        sentence = Text(
            f"P99 of some pair is certainly over {shown}: {over:.0%} or more of its samples exceed {high * 1000:g} ms.",
            f"某成员对的 P99 确定超过 {shown}：至少 {over:.0%} 的样本高于 {high * 1000:g} 毫秒。",
        )
        return MeasureResult(True, sentence, mean, limit, items=items)
    if all(t.over is False for t in found):
        sentence = Text(f"P99 of every pair is certainly under {shown}.", f"所有成员对的 P99 确定低于 {shown}。")
        return MeasureResult(False, sentence, mean, limit, items=items)
    why = Text(
        f"{shown} lies inside the bucket {low * 1000:g} to {high * 1000:g} ms, which P99 cannot look into",
        f"{shown} 位于 {low * 1000:g} 至 {high * 1000:g} 毫秒的桶内，P99 无法分辨",
    )
    at = f"{mean * 1000:.0f} ms" if mean is not None else "?"
    sentence = Text(f"Near the limit; the highest mean is {at}.", f"接近限值；最高均值 {at}。")
    return MeasureResult(None, sentence, mean, limit, why_unknown=why, items=items)


def _rises(members: Members, pairs: list[Pair]) -> dict[str, MeasureResult]:
    risen = [pair for pair in pairs if pair.rose]
    items = tuple(p.item() for p in pairs) + tuple(Item(name, None, "✕") for name in dead(members))
    series = tuple(series_of(p.name, p.points) for p in sorted(pairs, key=lambda p: -p.peak)[:8])
    common = common_member(pairs)
    return {
        "etcd-rtt-rise": _rise(risen, pairs, items, series),
        "etcd-rtt-one-member": _one_member(common, risen, items),
        "etcd-rtt-cross-zone": _cross_zone(members, pairs, common, items),
    }


def _rise(risen: list[Pair], pairs: list[Pair], items: tuple[Item, ...], series: tuple[Series, ...]) -> MeasureResult:
    worst = max(risen or pairs, key=lambda p: (p.peak, p.name))
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
    return MeasureResult(bool(risen), yes if risen else no, worst.peak, None, worst.name if risen else "", items=items,
                series=series, first_seen_at=moment(min((p.rose_ms for p in risen), default=None)))  # fmt: skip


def _one_member(common: str, risen: list[Pair], items: tuple[Item, ...]) -> MeasureResult:
    yes = Text(
        f"Only pairs with {common} rose; the others stayed as they were: that member or its host, not the network.",
        f"只有涉及 {common} 的成员对上升，其余不变：问题在该成员或其主机，而非网络。",
    )
    no = Text("The rise is not limited to one member.", "上升并不限于某一个成员。") if risen else Text(
        "No pair rose.", "没有成员对上升。"
    )  # fmt: skip
    return MeasureResult(bool(common), yes if common else no, float(len(risen)), None, common, items=items)


def _cross_zone(members: Members, pairs: list[Pair], common: str, items: tuple[Item, ...]) -> MeasureResult:
    risen = [p for p in pairs if p.rose]
    if not any(p.crosses for p in pairs):
        why = Text("no two members are declared in different zones", "没有声明位于不同可用区的成员")
        return MeasureResult(None, Text("Whether zones matter is unknown.", "无法判断是否跨可用区。"), why_unknown=why)
    crossing = [p for p in risen if p.crosses]
    if common and len(crossing) == len(risen) and _alone_in_zone(members, common):
        why = Text(f"{common} is the only member of its zone", f"{common} 是其可用区内唯一的成员")
        sentence = Text(
            f"Whether it is {common} or the path to its zone cannot be told from round trips alone.",
            f"仅凭往返时延无法区分问题在 {common} 本身还是通往其可用区的链路。",
        )
        return MeasureResult(None, sentence, float(len(crossing)), None, common, why_unknown=why, items=items)
    seen = bool(risen) and len(crossing) == len(risen) and not common
    yes = Text(
        f"All {len(risen)} risen pairs cross a zone border and share no single member: the path between the zones.",
        f"{len(risen)} 对上升的成员均跨可用区，且不集中于单一成员：问题在可用区之间的链路。",
    )
    no = Text("The rise does not follow the zone borders.", "上升与可用区边界不一致。") if risen else Text(
        "No pair across the zones rose.", "没有跨可用区的成员对上升。"
    )  # fmt: skip
    return MeasureResult(seen, yes if seen else no, float(len(crossing)), None, items=items)


def _alone_in_zone(members: Members, name: str) -> bool:
    """Whether no other member shares the zone, and the member itself neither fell silent nor restarted."""
    zone = members.zone(name)
    own = name in members.restarts() or members.gone(name)
    return sum(m.zone == zone for m in members.etcd.member) == 1 and not own


def _order(risen: list[Pair], members: Members, leaderless: dict[str, int]) -> MeasureResult:
    switch_ms, rose_ms = members.switch_ms(), min((p.rose_ms for p in risen), default=None)
    lost_ms = min(leaderless.values(), default=None)
    events = (("RTT ↑", rose_ms), ("has_leader = 0", lost_ms), ("leader_changes +1", switch_ms))
    known = sorted((at, name) for name, at in events if at is not None)
    items = tuple(Item(name, (at - (switch_ms or at)) / 1000, f"{moment(at):%H:%M:%S} UTC") for at, name in known)
    if switch_ms is None:
        return MeasureResult(False, Text("There was no switch to compare with.", "没有换主可供比较。"), items=items)
    if rose_ms is None:
        return MeasureResult(False, Text("Nothing rose before the switch.", "换主前没有上升。"), items=items)
    lag = (rose_ms - min(switch_ms, lost_ms or switch_ms)) / 1000
    if 0 < lag <= SAMPLED_MS / 1000:
        why = Text(
            "pairs are sampled every 30 s, the rise shows after it began", "每 30 秒采样一次，上升晚于实际开始才可见"
        )
        late = Text(
            f"The rise was first sampled {lag:.0f} s after the leader was lost.",
            f"上升在失去主节点后 {lag:.0f} 秒首次采样到。",
        )
        return MeasureResult(None, late, lag, why_unknown=why, items=items)
    yes = Text(
        f"The rise was sampled {-lag:.0f} s before the leader was lost.", f"上升在失去主节点前 {-lag:.0f} 秒采样到。"
    )
    no = Text(f"The rise came {lag:.0f} s after the leader was lost.", f"上升在失去主节点后 {lag:.0f} 秒才出现。")
    return MeasureResult(lag <= 0, yes if lag <= 0 else no, lag, items=items, first_seen_at=moment(rose_ms))


def _steady_high(pairs: list[Pair], guidance: float, switch_ms: int | None) -> MeasureResult:
    """High, on its usual level throughout, and the leader stayed: slow, and no fault that began."""
    watched = [p for p in pairs if len(p.points) >= STEADY_POINTS and p.watched_ms >= STEADY_MS]
    if not watched:
        why = Text("no pair was watched long enough to have a usual level", "观测时间过短，无法得知通常水平")
        return MeasureResult(None, Text("Whether round trips are always slow is unknown.", "无法判断时延是否一贯偏高。"),
                    None, guidance, why_unknown=why)  # fmt: skip
    levels = {p: median(x.value for x in p.points) for p in watched}
    worst = max(watched, key=lambda p: (levels[p], p.name))
    high, moved = levels[worst] >= guidance, switch_ms is not None or any(p.rose for p in pairs)
    items = tuple(Item(p.name, levels[p], p.where, levels[p] >= guidance) for p in watched)
    yes = Text(
        f"{worst.name} always takes {levels[worst] * 1000:.0f} ms, over a tenth of the election timeout "
        f"({guidance * 1000:g} ms), and the leader stayed: slow, and nothing new.",
        f"{worst.name} 一直约为 {levels[worst] * 1000:.0f} 毫秒，超过选举超时的十分之一（{guidance * 1000:g} 毫秒），"
        f"且没有换主：虽慢，但并非新出现的故障。",
    )
    no = Text("Round trips were not steady.", "往返时延并不平稳。") if high and moved else Text(
        f"No pair is always slow; the slowest level is {levels[worst] * 1000:.1f} ms ({worst.name}).",
        f"没有成员对一贯偏慢；最慢的通常水平为 {levels[worst] * 1000:.1f} 毫秒（{worst.name}）。",
    )  # fmt: skip
    seen = high and not moved
    return MeasureResult(seen, yes if seen else no, levels[worst], guidance, worst.name if seen else "", items=items)


CHECK = Check(
    "etcd-peer-rtt",
    Text("Did round trip times between members rise, and where?", "成员间往返时延是否上升，出现在哪里？"),
    (
        Measure("etcd-rtt-over-limit", Text("Is P99 of a pair over the limit?", "是否有成员对 P99 超限？"), "s"),
        Measure("etcd-rtt-rise", Text("Did a pair's round trip time rise?", "是否有成员对时延上升？"), "s"),
        Measure(
            "etcd-rtt-cross-zone", Text("Is the rise between zones?", "上升是否在可用区之间？"), "pairs", items_unit="s"
        ),
        Measure(
            "etcd-rtt-one-member",
            Text("Is the rise at one member?", "上升是否集中于一个成员？"),
            "pairs",
            items_unit="s",
        ),
        Measure("etcd-rtt-before-switch", Text("Did the rise come before the switch?", "上升是否早于换主？"), "s"),
        Measure("etcd-rtt-steady-high", Text("Are round trips always slow?", "往返时延是否一贯偏高？"), "s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=4,
)
