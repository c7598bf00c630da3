"""Peer round trip times by pair and zone, read for what they are: a smoothed value, sampled every 30 s."""

from datetime import datetime, timedelta

from domain.findings import Item, Series
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult, alternatives, moment, unmeasured
from evidence.clients.prometheus import Answered, matcher
from evidence.etcd_choice import etcds
from evidence.etcd_pairs import RTT, SAMPLED_MS, Pair, Tail, dead, edges, pairs_of, tails
from evidence.etcd_places import Place, place_of
from evidence.etcd_series import LEAD, LEADERSHIP, Members, ask_more, member_name, read, read_more, series_of, server_of
from evidence.etcd_steady import steady_high

# The stock alert rule's 150 ms belongs to the default election timeout of 1000 ms; etcd's guidance is a timeout of
# at least ten round trips.
LIMIT_SHARE, GUIDANCE_SHARE = 0.15, 0.10
# The stock alert of slow peers estimates P99 within a bucket of 102.4 to 204.8 ms: levels of half the guidance on
# reach into it with some of their samples.
NAMED, ALERTED = "communicationslow", 0.5
METRICS = f"{RTT}_(sum|count)|etcd_server_id|etcd_server_leader_changes_seen_total|process_start_time_seconds|up"


# What rests on the samples of the fault's own time.
OF_SAMPLES = (
    "etcd-rtt-rise", "etcd-rtt-one-member", "etcd-rtt-towards-one", "etcd-rtt-cross-zone", "etcd-late-member-led",
    "etcd-rtt-before-switch", "etcd-rtt-steady-high",
)  # fmt: skip


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    pairs, timeout_s = pairs_of(members), members.etcd.election_timeout_ms / 1000
    results = {}
    if any(pair.points[-1].at_ms >= members.onset_ms for pair in pairs):
        leadership = read_more(ask, members.etcd, LEADERSHIP)
        place = place_of(pairs)
        results = _rises(members, pairs, place) | {
            "etcd-late-member-led": _late_led(place, members.switch_ms(), leadership),
            "etcd-rtt-before-switch": _order([p for p in pairs if p.rose], members, leadership.leaderless()),
            "etcd-rtt-steady-high": steady_high(members, pairs, _slow_from(ask.scope, timeout_s)),
        }
    elif pairs:
        unsampled = unmeasured(Text("no pair was sampled since the fault can have begun"))
        results = dict.fromkeys(OF_SAMPLES, unsampled)
    results["etcd-rtt-over-limit"] = _over_limit(ask, members, pairs, LIMIT_SHARE * timeout_s)
    return results


def _slow_from(scope: Scope, timeout_s: float) -> float:
    """The level from which on a pair is slow, in seconds: the guidance, or half of it where the rules complained."""
    complained = any(NAMED in f"{alert.name} {alert.title}".lower() for alert in scope.alerts)
    return GUIDANCE_SHARE * timeout_s * (ALERTED if complained else 1.0)


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


def _rises(members: Members, pairs: list[Pair], place: Place) -> dict[str, MeasureResult]:
    risen = [pair for pair in pairs if pair.rose]
    items = tuple(p.item() for p in pairs) + tuple(Item(name, None, "✕") for name in dead(members))
    series = tuple(series_of(p.name, p.points) for p in sorted(pairs, key=lambda p: -p.peak)[:8])
    return {
        "etcd-rtt-rise": _rise(risen, pairs, items, series),
        "etcd-rtt-one-member": _one_member(place, items),
        "etcd-rtt-towards-one": _towards_one(place, items),
        "etcd-rtt-cross-zone": _cross_zone(members, pairs, place, items),
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


NOTHING_ROSE = Text("No pair rose.")


def _one_direction(place: Place, sentence: Text, items: tuple[Item, ...]) -> MeasureResult:
    """One direction of one pair is a few samples of one prober, and places nothing."""
    why = Text("only one direction of one pair rose: {name}", name=place.core[0].name)
    return MeasureResult(None, sentence, 1.0, items=items, why_unknown=why)


def _one_member(place: Place, items: tuple[Item, ...]) -> MeasureResult:
    if place.single:
        return _one_direction(place, Text("Whether the rise is at one member is unknown."), items)
    yes = Text(
        "Only pairs with {member} rose; the others stayed as they were: that member or its host, not the network.",
        member=place.member,
    )
    no = Text("The rise is not limited to one member.") if place.core else NOTHING_ROSE
    seen = bool(place.member)
    return MeasureResult(seen, yes if seen else no, float(len(place.core)), None, place.member, items=items)


def _towards_one(place: Place, items: tuple[Item, ...]) -> MeasureResult:
    """A path delays both directions alike; a process that stands still now and then is late only for the others."""
    if place.single:
        return _one_direction(place, Text("Whether only the way towards one member is slow is unknown."), items)
    yes = Text(
        "All waited longer for {member}, while its own round trips to them stayed: a path is as long in both"
        " directions, so that process answered late.",
        member=place.towards,
    )
    if place.turns:
        yes = Text(
            "All waited longer for one member after the other ({members}), while a way of each of them stayed: a path"
            " is as long in both directions, so these processes answered late.",
            members=", ".join(place.turns),
        )
    no = Text("Round trips did not rise towards one member only.") if place.core else NOTHING_ROSE
    seen = bool(place.towards)
    return MeasureResult(
        seen, yes if seen else no, float(len(place.core)), None, place.towards, items=items,
        first_seen_at=moment(min(p.rose_ms for p in place.core) if seen else None),
    )  # fmt: skip


def _late_led(place: Place, switch_ms: int | None, leadership: Members) -> MeasureResult:
    """Whether the member that answered late was the leader until the switch."""
    leader = leadership.leader_before(switch_ms) if switch_ms else ""
    sentence = Text("Whether the leader answered late is unknown.")
    if not place.towards:
        return MeasureResult(None, sentence, why_unknown=Text("no member stands out as late"))
    if not leader:
        return MeasureResult(None, sentence, why_unknown=Text("who led before is not known"))
    yes = Text("The member that answered late, {leader}, led until the switch.", leader=leader)
    no = Text("The leader before the switch, {leader}, is not the one that answered late.", leader=leader)
    seen = place.towards == leader
    return MeasureResult(seen, yes if seen else no, None, None, leader)


def _cross_zone(members: Members, pairs: list[Pair], place: Place, items: tuple[Item, ...]) -> MeasureResult:
    """Whether exactly the pairs across a zone border rose, or the two ways between two members of two zones."""
    if not any(pair.crosses for pair in pairs):
        why = Text("no two members are declared in different zones")
        return MeasureResult(None, Text("Whether zones matter is unknown."), why_unknown=why)
    crossing = float(place.crossing)
    if not place.core:
        return MeasureResult(False, Text("No pair across the zones rose."), 0.0, items=items)
    if place.single and crossing:
        return _one_direction(place, Text("Whether the path between zones is slow is unknown."), items)
    alone = place.member and not place.towards and _alone_in_zone(members, place.member)
    if crossing == len(place.core) and alone:
        why = Text("{member} is the only member of its zone", member=place.member)
        sentence = Text(
            "Whether it is {member} or the path to its zone cannot be told from round trips alone.", member=place.member
        )
        return MeasureResult(None, sentence, crossing, None, place.member, why_unknown=why, items=items)
    if place.member or place.turns or crossing < len(place.core):
        return MeasureResult(False, Text("The rise does not follow the zone borders."), crossing, items=items)
    return MeasureResult(True, _zones_text(place), crossing, items=items)


def _zones_text(place: Place) -> Text:
    if place.path is None:
        return Text(
            "All {risen} risen pairs cross a zone border and share no single member: the path between the zones.",
            risen=len(place.core),
        )
    return Text(
        "Between {first} and {second} both directions rose, their other pairs stayed as they were: the path between"
        " the zones {zones}.",
        first=place.path[0],
        second=place.path[1],
        zones=" – ".join(place.zones),
    )


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
        why = Text("there was no switch to compare with")
        return MeasureResult(None, Text("There was no switch to compare with."), items=items, why_unknown=why)
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
        Measure(
            "etcd-rtt-towards-one",
            Text("Did all wait for one member whose own round trips stayed?"),
            "pairs",
            items_unit="s",
        ),
        Measure("etcd-late-member-led", Text("Was it the leader that answered late?")),
        Measure("etcd-rtt-before-switch", Text("Did the rise come before the switch?"), "s"),
        Measure("etcd-rtt-steady-high", Text("Are round trips always slow?"), "s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=4,
    metrics=alternatives(METRICS),
    span_s=LEAD.total_seconds(),
)
