"""Did members lose their connections to each other, although both ends were alive?"""

from dataclasses import dataclass
from itertools import pairwise

from domain.errors import Refused
from domain.findings import Item
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, moment
from evidence.clients.prometheus import Line
from evidence.etcd_choice import etcds
from evidence.etcd_series import SPAN_S, STARTUP_MS, Members, increase, read, read_more

LOST, ACTIVE = "etcd_network_disconnected_peers_total", "etcd_network_active_peers"
SENT_FAILURES = "etcd_network_peer_sent_failures_total"
METRICS = f"{LOST}|{ACTIVE}|{SENT_FAILURES}|process_start_time_seconds|up"
# A single lost message at a reconnect is everyday; etcd drops them and raft sends again.
FAILURES = 5


@dataclass(frozen=True, slots=True)
class Link:
    """What one member reports of its connections to a peer. `excused` names the end that was down itself."""

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
    ids = members.ids() | read_more(ask, members.etcd, "etcd_server_id").ids()
    return {"etcd-peer-disconnected": _disconnected(members, _links(members, peers, ids), ids)}


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
    quiet = found[ACTIVE].points if ACTIVE in found else ()
    inactive = [p.at_ms for p in quiet if p.value == 0 and p.at_ms >= members.onset_ms]
    lost, since = _gained(members, found.get(LOST), ends[0])
    failures, first = _gained(members, found.get(SENT_FAILURES), ends[0])
    times = [at for at in (since, first, inactive[0] if inactive else 0) if at]
    # A gauge that shows zero once between two scrapes is a reconnect; twice is a broken connection.
    return Link(*ends, lost, failures, len(inactive) > 1, _excused(members, ends), min(times, default=0))


def _gained(members: Members, line: Line | None, owner: str) -> tuple[float, int]:
    """What the counter gained since shortly before the incident, and when first.

    It only comes into being with its first count, so a late first sample is counted from zero.
    """
    if line is None or not line.points:
        return 0.0, 0
    first = line.points[0]
    is_late = first.at_ms > members.seen_since(owner) + STARTUP_MS and first.at_ms >= members.onset_ms
    born = first.value if is_late else 0.0
    rises = [later.at_ms for earlier, later in pairwise(line.points) if later.value > earlier.value]
    times = [at_ms for at_ms in rises if at_ms >= members.onset_ms]
    if born:
        times.append(first.at_ms)
    return born + increase(line, members.onset_ms, members.end_ms), min(times, default=0)


def _excused(members: Members, ends: tuple[str, str]) -> str:
    """The end that was down, silent or restarted: its connections break because of that."""
    away = [name for name in ends if any(until >= members.onset_ms for _, until in members.gone(name))]
    away += [name for name in ends if members.restarts().get(name, 0) >= members.onset_ms]
    return away[-1] if away else ""


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
    ),
    lambda scope: bool(etcds(scope)),
    _collect,
    cost=2,
    metrics=(ACTIVE,),
    span_s=SPAN_S,
)
