"""Peer round trip times by pair and zone, read for what they are: a smoothed value, sampled every 30 s."""

from datetime import datetime, timedelta
from statistics import median

from domain.findings import Item, Series
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, alternatives, moment
from evidence.clients.prometheus import Answered, matcher
from evidence.etcd_choice import etcds
from evidence.etcd_pairs import RTT, SAMPLED_MS, Pair, Tail, common_member, dead, edges, pairs_of, tails
from evidence.etcd_series import LEAD, LEADERSHIP, Members, ask_more, member_name, read, read_more, series_of, server_of

# The stock alert rule's 150 ms belongs to the default election timeout of 1000 ms; etcd's guidance is a timeout of
# at least ten round trips.
LIMIT_SHARE, GUIDANCE_SHARE = 0.15, 0.10
# A level is a usual one when it was there for this long and is seen in two groups of samples of the window.
STEADY_MS, STEADY_POINTS = 90_000, 2
METRICS = f"{RTT}_(sum|count)|etcd_server_id|etcd_server_leader_changes_seen_total|process_start_time_seconds|up"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    pairs, timeout_s = pairs_of(members), members.etcd.election_timeout_ms / 1000
    results = {}
    if pairs:
        leadership = read_more(ask, members.etcd, LEADERSHIP)
        results = _rises(members, pairs) | {
            "etcd-rtt-before-switch": _order([p for p in pairs if p.rose], members, leadership.leaderless()),
            "etcd-rtt-steady-high": _steady_high(pairs, GUIDANCE_SHARE * timeout_s, members.switch_ms()),
        }
    results["etcd-rtt-over-limit"] = _over_limit(ask, members, pairs, LIMIT_SHARE * timeout_s)
    return results


def _over_limit(ask: Ask, members: Members, pairs: list[Pair], limit: float) -> MeasureResult:
    """Whether P99 of a living pair is over `limit` seconds, by the histogram's two bucket borders around it."""
    low, high = edges(limit)
    living = _living_tails(ask, members, pairs, (low, high))
    highest_p99 = _highest(_p99_of(ask, members), members)
    means = {pair.name: pair.mean for pair in pairs}
    items = tuple(
        _p99_item(name, tail, (low, high, limit), means.get(name), highest_p99.get(name)) for name, tail in living
    )
    tails_only = [tail for _, tail in living]
    return certainty(tails_only, (low, high, limit), max(means.values(), default=None), items)


def _living_tails(
    ask: Ask, members: Members, pairs: list[Pair], borders: tuple[float, float]
) -> list[tuple[str, Tail]]:
    """Name and tail of each pair whose ends both answer at the end, each with its highest group of samples counted."""
    low, high = borders
    selector = matcher(members.etcd.selector)
    query = f'sum by (instance, To, le) (increase({RTT}_bucket{{le=~"{low:g}|{high:g}|[+]Inf",{selector}}}[5m]))'
    answered = ask.range(server_of(ask, members.etcd), query, step_s=30)
    ids, silent = members.ids(), set(dead(members))
    peaks = {pair.name: pair.peak for pair in pairs}
    living = []
    for tail in tails(answered, low, high, members.onset_ms):
        name = _name(members, ids, tail.instance, tail.to)
        if silent.isdisjoint(name.split(" → ")):
            living.append((name, tail.with_peak(peaks.get(name, 0.0), low, high)))
    return living


def _p99_of(ask: Ask, members: Members) -> Answered:
    """P99 of each pair as Prometheus estimates it, in seconds; it only goes into the table."""
    selector = matcher(members.etcd.selector)
    query = f"histogram_quantile(0.99, sum by (instance, To, le) (rate({RTT}_bucket{{{selector}}}[5m])))"
    return ask_more(ask, members.etcd, query, _since(ask, members.onset_ms), step_s=30)


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
    estimate = f" ({p99 * 1000:.1f})" if p99 is not None else ""
    return Item(name, mean, f"P99 {tail.interval(low, high)}{estimate} {sign} {limit * 1000:g} ms", tail.over)


def certainty(
    found: list[Tail], limits: tuple[float, float, float], mean: float | None, items: tuple[Item, ...] = ()
) -> MeasureResult:
    """Over only when the whole bucket is over for more than 1 %; under only when nothing is above the lower border."""
    low, high, limit = limits
    if not found:
        why = Text("there are no observations in the window")
        sentence = Text("Whether P99 is over the limit is unknown.")
        return MeasureResult(None, sentence, mean, limit, why_unknown=why)
    shown = f"{limit * 1000:g} ms"
    if over := max((t.above_high for t in found if t.over), default=0.0):
        sentence = Text(
            "P99 of some pair is certainly over {limit}: {share:.0%} or more of its samples exceed {high_ms:g} ms.",
            limit=shown,
            share=over,
            high_ms=high * 1000,
        )
        return MeasureResult(True, sentence, mean, limit, items=items)
    if all(t.over is False for t in found):
        sentence = Text("P99 of every pair is certainly under {limit}.", limit=shown)
        return MeasureResult(False, sentence, mean, limit, items=items)
    why = Text(
        "{limit} lies inside the bucket {low_ms:g} to {high_ms:g} ms, which P99 cannot look into",
        limit=shown,
        low_ms=low * 1000,
        high_ms=high * 1000,
    )
    at = f"{mean * 1000:.0f} ms" if mean is not None else "?"
    sentence = Text("Near the limit; the highest mean is {mean}.", mean=at)
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
    highest = max(risen or pairs, key=lambda p: (p.peak, p.name))
    if not risen:
        sentence = Text(
            "No pair's round trip time rose over its own level; the highest is {peak_ms:.0f} ms ({name}).",
            peak_ms=highest.peak * 1000,
            name=highest.name,
        )
        return MeasureResult(False, sentence, highest.peak, items=items, series=series)
    sentence = Text(
        "Round trip times of {risen} of {pairs} pairs rose; {name} from {before_ms:.1f} to {peak_ms:.0f} ms.",
        risen=len(risen),
        pairs=len(pairs),
        name=highest.name,
        before_ms=highest.before * 1000,
        peak_ms=highest.peak * 1000,
    )
    return MeasureResult(
        True,
        sentence,
        highest.peak,
        subject=highest.name,
        items=items,
        series=series,
        first_seen_at=moment(min(p.rose_ms for p in risen)),
    )


def _one_member(common: str, risen: list[Pair], items: tuple[Item, ...]) -> MeasureResult:
    yes = Text(
        "Only pairs with {member} rose; the others stayed as they were: that member or its host, not the network.",
        member=common,
    )
    no = Text("The rise is not limited to one member.") if risen else Text("No pair rose.")
    return MeasureResult(bool(common), yes if common else no, float(len(risen)), None, common, items=items)


def _cross_zone(members: Members, pairs: list[Pair], common: str, items: tuple[Item, ...]) -> MeasureResult:
    """Whether exactly the pairs across a zone border rose; `common` is the member that all risen pairs share."""
    if not any(pair.crosses for pair in pairs):
        why = Text("no two members are declared in different zones")
        return MeasureResult(None, Text("Whether zones matter is unknown."), why_unknown=why)
    risen = [pair for pair in pairs if pair.rose]
    if not risen:
        return MeasureResult(False, Text("No pair across the zones rose."), 0.0, items=items)
    crossing = float(sum(pair.crosses for pair in risen))
    if crossing < len(risen):
        return MeasureResult(False, Text("The rise does not follow the zone borders."), crossing, items=items)
    if common and _alone_in_zone(members, common):
        why = Text("{member} is the only member of its zone", member=common)
        sentence = Text(
            "Whether it is {member} or the path to its zone cannot be told from round trips alone.", member=common
        )
        return MeasureResult(None, sentence, crossing, None, common, why_unknown=why, items=items)
    if common:
        return MeasureResult(False, Text("The rise does not follow the zone borders."), crossing, items=items)
    sentence = Text(
        "All {risen} risen pairs cross a zone border and share no single member: the path between the zones.",
        risen=len(risen),
    )
    return MeasureResult(True, sentence, crossing, items=items)


def _alone_in_zone(members: Members, name: str) -> bool:
    """Whether no other member shares the zone, and the member itself neither fell silent nor restarted."""
    zone = members.zone(name)
    own = name in members.restarts() or members.gone(name)
    return sum(m.zone == zone for m in members.etcd.member) == 1 and not own


def _order(risen: list[Pair], members: Members, leaderless: dict[str, int]) -> MeasureResult:
    """Whether round trip times rose before the leader was lost.

    `leaderless` gives for each member that lost its leader the time in epoch milliseconds.
    """
    switch_ms = members.switch_ms()
    rose_ms = min((pair.rose_ms for pair in risen), default=None)
    lost_ms = min(leaderless.values(), default=None)
    items = _timeline(rose_ms, lost_ms, switch_ms)
    if switch_ms is None:
        return MeasureResult(False, Text("There was no switch to compare with."), items=items)
    if rose_ms is None:
        return MeasureResult(False, Text("Nothing rose before the switch."), items=items)
    leader_lost_ms = min(switch_ms, lost_ms or switch_ms)
    lag = (rose_ms - leader_lost_ms) / 1000
    if lag <= 0:
        sentence = Text("The rise was sampled {lag_s:.0f} s before the leader was lost.", lag_s=-lag)
        return MeasureResult(True, sentence, lag, items=items, first_seen_at=moment(rose_ms))
    if lag <= SAMPLED_MS / 1000:
        why = Text("pairs are sampled every 30 s, the rise shows after it began")
        sentence = Text("The rise was first sampled {lag_s:.0f} s after the leader was lost.", lag_s=lag)
        return MeasureResult(None, sentence, lag, why_unknown=why, items=items)
    sentence = Text("The rise came {lag_s:.0f} s after the leader was lost.", lag_s=lag)
    return MeasureResult(False, sentence, lag, items=items, first_seen_at=moment(rose_ms))


def _timeline(rose_ms: int | None, lost_ms: int | None, switch_ms: int | None) -> tuple[Item, ...]:
    """The known events in order of time; the value of each is its distance to the switch, in seconds."""
    events = (("RTT ↑", rose_ms), ("has_leader = 0", lost_ms), ("leader_changes +1", switch_ms))
    known = sorted((at_ms, name) for name, at_ms in events if at_ms is not None)
    items = []
    for at_ms, name in known:
        distance_s = (at_ms - (switch_ms or at_ms)) / 1000
        items.append(Item(name, distance_s, f"{moment(at_ms):%H:%M:%S} UTC"))
    return tuple(items)


def _steady_high(pairs: list[Pair], guidance: float, switch_ms: int | None) -> MeasureResult:
    """Whether round trips are high on their usual level and the leader stayed: slow, and no fault that began.

    `guidance` is the level in seconds from which on a pair is slow.
    """
    watched = [pair for pair in pairs if len(pair.points) >= STEADY_POINTS and pair.watched_ms >= STEADY_MS]
    if not watched:
        why = Text("no pair was watched long enough to have a usual level")
        return MeasureResult(
            None, Text("Whether round trips are always slow is unknown."), None, guidance, why_unknown=why
        )
    levels = {pair: median(point.value for point in pair.points) for pair in watched}
    items = tuple(Item(pair.name, level, pair.where, level >= guidance) for pair, level in levels.items())
    slowest = max(watched, key=lambda pair: (levels[pair], pair.name))
    level = levels[slowest]
    if level < guidance:
        sentence = Text(
            "No pair is always slow; the slowest level is {level_ms:.1f} ms ({name}).",
            level_ms=level * 1000,
            name=slowest.name,
        )
        return MeasureResult(False, sentence, level, guidance, items=items)
    if switch_ms is not None or any(pair.rose for pair in pairs):
        return MeasureResult(False, Text("Round trips were not steady."), level, guidance, items=items)
    sentence = Text(
        "{name} always takes {level_ms:.0f} ms, over a tenth of the election timeout ({guidance_ms:g} ms), and the"
        " leader stayed: slow, and nothing new.",
        name=slowest.name,
        level_ms=level * 1000,
        guidance_ms=guidance * 1000,
    )
    return MeasureResult(True, sentence, level, guidance, slowest.name, items=items)


CHECK = Check(
    "etcd-peer-rtt",
    Text("Did round trip times between members rise, and where?"),
    (
        Measure("etcd-rtt-over-limit", Text("Is P99 of a pair over the limit?"), "s"),
        Measure("etcd-rtt-rise", Text("Did a pair's round trip time rise?"), "s"),
        Measure("etcd-rtt-cross-zone", Text("Is the rise between zones?"), "pairs", items_unit="s"),
        Measure(
            "etcd-rtt-one-member",
            Text("Is the rise at one member?"),
            "pairs",
            items_unit="s",
        ),
        Measure("etcd-rtt-before-switch", Text("Did the rise come before the switch?"), "s"),
        Measure("etcd-rtt-steady-high", Text("Are round trips always slow?"), "s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=4,
    metrics=alternatives(METRICS),
    span_s=LEAD.total_seconds(),
)
