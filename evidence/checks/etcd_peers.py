"""Did members lose their connections to each other, although both ends were alive?"""

from dataclasses import dataclass
from itertools import pairwise

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, moment
from evidence.clients.prometheus import Line
from evidence.etcd_choice import etcds
from evidence.etcd_cuts import Cuts, absences
from evidence.etcd_membership import ID, added, replaced
from evidence.etcd_series import SPAN_S, STARTUP_MS, Members, gain, read, read_more
from evidence.etcd_watch import Span

LOST, ACTIVE = "etcd_network_disconnected_peers_total", "etcd_network_active_peers"
SENT_FAILURES = "etcd_network_peer_sent_failures_total"
METRICS = f"{LOST}|{ACTIVE}|{SENT_FAILURES}|process_start_time_seconds|up"
# A single lost message at a reconnect is everyday; etcd drops them and raft sends again.
FAILURES = 5


@dataclass(frozen=True, slots=True)
class Link:
    """What one member reports of its connections to a peer. `excused` names the end that was down itself then."""

    start: str
    end: str
    lost: float
    failures: float
    inactive: bool
    excused: str = ""
    since_ms: int = 0

    @property
    def suffered(self) -> bool:
        """Whether anything was lost, for whatever reason."""
        return bool(self.lost or self.inactive or self.failures)

    @property
    def broken(self) -> bool:
        """Whether the connection suffered while both ends were alive."""
        return not self.excused and (self.lost > 0 or self.inactive or self.failures >= FAILURES)


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    members = read(ask, METRICS)
    peers = [line for line in members.lines if _peer(line)]
    if not peers:
        raise Refused(Text("etcd {name} exports no peer connections in the window", name=members.etcd.name))
    known = read_more(ask, members.etcd, ID)
    ids = members.ids() | known.ids()
    cuts = Cuts.of(members, ids)
    return {
        "etcd-peer-disconnected": _disconnected(members, _links(members, peers, ids), ids),
        "etcd-member-isolated": _isolated(cuts),
        "etcd-isolated-since-start": _since_start(members, cuts),
        "etcd-peers-one-way": _one_way(cuts),
        "etcd-membership-changed": _membership(members, known.of(ID)),
    }


def _peer(line: Line) -> str:
    """The hex id of the other end."""
    return line.labels.get("Remote") or line.labels.get("To", "")


def _links(members: Members, lines: list[Line], ids: dict[str, str]) -> list[Link]:
    table: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines:
        ends = members.member(line), ids.get(_peer(line), _peer(line))
        table.setdefault(ends, {})[line.labels.get("__name__", "")] = line
    return [_link(members, ends, found) for ends, found in sorted(table.items())]


def _link(members: Members, ends: tuple[str, str], found: dict[str, Line]) -> Link:
    """What was lost while both ends were there; where that is nothing, what was lost while one was away."""
    away = [(span, name) for name in ends for span in absences(members, name)]
    quiet = found[ACTIVE].points if ACTIVE in found else ()
    inactive = [p.at_ms for p in quiet if p.value == 0 and p.at_ms >= members.onset_ms]
    lost, failures = (_gains(members, found.get(metric), ends[0]) for metric in (LOST, SENT_FAILURES))
    own = [at_ms for at_ms in inactive if not _excuse(at_ms, away)]
    own_lost, own_failures = ({at: n for at, n in gains.items() if not _excuse(at, away)} for gains in (lost, failures))
    # A gauge that shows zero once between two scrapes is a reconnect; twice is a broken connection.
    if own_lost or len(own) > 1 or sum(own_failures.values()) >= FAILURES:
        since = min([*own, *own_lost, *own_failures])
        return Link(*ends, sum(own_lost.values()), sum(own_failures.values()), len(own) > 1, since_ms=since)
    excused = next((name for at in [*lost, *failures, *inactive] if (name := _excuse(at, away))), "")
    return Link(*ends, sum(lost.values()), sum(failures.values()), len(inactive) > 1, excused)


def _gains(members: Members, line: Line | None, owner: str) -> dict[int, float]:
    """What the counter gained since shortly before the incident, by time (epoch ms).

    It only comes into being with its first count, so a late first sample is counted from zero.
    """
    if line is None or not line.points:
        return {}
    first = line.points[0]
    is_late = first.at_ms > members.seen_since(owner) + STARTUP_MS and first.at_ms >= members.onset_ms
    gains = {first.at_ms: first.value} if is_late else {}
    pairs = [(a, b) for a, b in pairwise(line.points) if members.onset_ms <= b.at_ms <= members.end_ms]
    return gains | {b.at_ms: gain(a, b) for a, b in pairs if b.value != a.value}


def _excuse(at_ms: int, away: list[tuple[Span, str]]) -> str:
    """The end that was down, silent or restarted then: the connection broke because of that."""
    return next((name for (start, end), name in away if start <= at_ms <= end), "")


def _disconnected(members: Members, links: list[Link], ids: dict[str, str]) -> MeasureResult:
    broken = [link for link in links if link.broken]
    items = tuple(_item(link) for link in links)
    series = chart(members.of(ACTIVE), lambda line: f"{members.member(line)} → {ids.get(_peer(line), _peer(line))}")
    if not broken:
        return MeasureResult(False, _unbroken_text(links), 0, 0.0, items=items, series=series)
    names = ", ".join(f"{link.start} → {link.end}" for link in broken[:4])
    return MeasureResult(
        True,
        Text("Connections broke while both ends were alive: {names}.", names=names),
        sum(link.lost for link in broken),
        0.0,
        _common(broken),
        items=items,
        series=series,
        first_seen_at=moment(min((link.since_ms for link in broken if link.since_ms), default=0)),
    )


def _unbroken_text(links: list[Link]) -> Text:
    excused = sorted({link.excused for link in links if link.excused and link.suffered})
    if not excused:
        return Text("All members kept their connections to each other.")
    return Text("Connections broke only with {members}, which was not there itself.", members=", ".join(excused))


def _common(broken: list[Link]) -> str:
    """The one member that all of them share; empty if there is none or there are two. At least one link is given."""
    shared = set.intersection(*({link.start, link.end} for link in broken))
    return min(shared) if len(shared) == 1 else ""


def _item(link: Link) -> Item:
    parts = [f"disconnected +{link.lost:.0f}", f"sent_failures +{link.failures:.0f}"]
    if link.inactive:
        parts.append("active = 0")
    if link.excused:
        parts.append(f"✕ {link.excused}")
    return Item(f"{link.start} → {link.end}", link.lost, "; ".join(parts), link.broken)


def _isolated(cuts: Cuts) -> MeasureResult:
    """Whether a member answered scrapes while none of its peers could reach it."""
    names = cuts.isolated()
    if not names and not cuts.reported:
        why = Text("no member tells which of its peers it reaches")
        return MeasureResult(None, Text("Whether a member is cut off is unknown."), why_unknown=why)
    who = ", ".join(names)
    yes = Text(
        "{members} answered the monitoring, and no peer reached it for {lasted_s:.0f} s.",
        members=who,
        lasted_s=max((cuts.lasted_s(name) for name in names), default=0.0),
    )
    no = Text("Every member that answered the monitoring was reached by its peers.")
    return MeasureResult(bool(names), yes if names else no, float(len(names)), 0, who, items=cuts.items(),
                first_seen_at=moment(min((cuts.since(name) for name in names), default=None)))  # fmt: skip


def _since_start(members: Members, cuts: Cuts) -> MeasureResult:
    """Whether the member that nobody reaches was started just then, and reaches its peers itself."""
    names = cuts.isolated()
    if not names:
        why = Text("no member is cut off")
        return MeasureResult(None, Text("Whether it is so since a start is unknown."), why_unknown=why)
    found = [n for n in names if cuts.began_with_start(members, n) and cuts.reaches_others(n)]
    who = ", ".join(found)
    yes = Text("{members} was started when it began, reaches its peers, and they do not reach it.", members=who)
    no = Text("It did not begin with a start of {members}, or that reaches nobody either.", members=", ".join(names))
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, who, items=cuts.items())


def _one_way(cuts: Cuts) -> MeasureResult:
    """Whether one member does not reach another that reaches it, while both reach the others."""
    if not cuts.reported:
        why = Text("no member tells which of its peers it reaches")
        return MeasureResult(None, Text("Whether one direction is cut is unknown."), why_unknown=why)
    found = cuts.one_way()
    names = ", ".join(f"{start} → {end}" for start, end in found)
    yes = Text("Only one direction is cut: {names}; the way back works.", names=names)
    no = Text("No direction alone is cut between two members.")
    return MeasureResult(bool(found), yes if found else no, float(len(found)), 0, names, items=cuts.items())


def _membership(members: Members, ids: list[Line]) -> MeasureResult:
    """Whether a member came with data of its own, or its peers know one more: somebody changed the cluster."""
    changed = replaced(members, ids) | added(members)
    if not changed and not ids:
        why = Text("no member tells its id")
        return MeasureResult(None, Text("Whether the membership changed is unknown."), why_unknown=why)
    who = ", ".join(sorted(changed))
    yes = Text("The membership changed: {members} is new, with an id that was not there before.", members=who)
    no = Text("Every member has the id that it had before.")
    return MeasureResult(bool(changed), yes if changed else no, float(len(changed)), 0, who,
                first_seen_at=moment(min(changed.values(), default=None)))  # fmt: skip


CONNECTED = Charted(Text("open connections to the peer"))
CHECK = Check(
    "etcd-peers",
    Text("Did members lose their connections to each other?"),
    (
        Measure(
            "etcd-peer-disconnected",
            Text("Did a connection break while both ends were alive?"),
            "disconnections",
            charted=CONNECTED,
        ),
        Measure("etcd-membership-changed", Text("Did the membership change?"), "members"),
        Measure("etcd-member-isolated", Text("Is a member up that no peer reaches?"), "members", items_unit="s"),
        Measure("etcd-isolated-since-start", Text("Is it so since its last start?"), "members", items_unit="s"),
        Measure("etcd-peers-one-way", Text("Is only one direction between two members cut?"), "pairs", items_unit="s"),
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=2,
    metrics=(ACTIVE,),
    span_s=SPAN_S,
)
