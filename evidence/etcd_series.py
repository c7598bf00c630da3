"""The series of an etcd cluster, member by member: the shared reading of counters, gauges and restarts."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.connections import EtcdDecl, EtcdMemberDecl, PrometheusDecl
from domain.errors import ProductError, Refused
from domain.findings import Point, Series
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Answered, Line, matcher
from evidence.etcd_choice import etcd_of
from evidence.onset import fault_at

# The fault comes before the alert: a rule's evaluation, its `for`, and the first scrapes after it.
LEAD = timedelta(seconds=150)
# A series that begins later than this after its member's first scrape came into being with an event.
STARTUP_MS = 20_000
# An election and a frozen member last seconds; within a minute they must show, between scrapes of 15 s or less.
SPAN_S = 60.0
LEADERSHIP = (
    "etcd_server_leader_changes_seen_total|etcd_server_has_leader|etcd_server_is_leader|process_start_time_seconds|up"
)


@dataclass(frozen=True, slots=True)
class Members:
    """All asked series of one cluster. `by[name][instance]` are the lines of one metric and member."""

    etcd: EtcdDecl
    lines: tuple[Line, ...]
    onset_ms: int
    end_ms: int

    def of(self, metric: str) -> list[Line]:
        """The lines of one metric, in order."""
        return [line for line in self.lines if line.labels.get("__name__") == metric]

    def member(self, line: Line) -> str:
        """The declared name of the line's member, or its instance."""
        return member_name(self.etcd, line.labels.get("instance", ""))

    def zone(self, name: str) -> str:
        """The declared zone of a member, empty if none."""
        return next((m.zone for m in self.etcd.member if m.name == name), "")

    def ids(self) -> dict[str, str]:
        """Member id in hex to name, declared or reported by `etcd_server_id`."""
        reported = {line.labels.get("server_id", ""): self.member(line) for line in self.of("etcd_server_id")}
        return reported | {m.member_id: m.name for m in self.etcd.member if m.member_id}

    def restarts(self) -> dict[str, int]:
        """Members whose process started anew within the window, and when (epoch ms)."""
        found = {}
        for line in self.of("process_start_time_seconds"):
            values = [p.value for p in line.points]
            if values and max(values) - min(values) > 1:
                found[self.member(line)] = round(max(values) * 1000)
        return found

    def starts(self, name: str) -> list[int]:
        """When the member's process was started anew, each time within the window (epoch ms)."""
        lines = [x for x in self.of("process_start_time_seconds") if self.member(x) == name]
        pairs = (pair for line in lines for pair in itertools.pairwise(line.points))
        return [round(later.value * 1000) for earlier, later in pairs if abs(later.value - earlier.value) > 1]

    def silent(self) -> dict[str, tuple[int, int]]:
        """Members that were not scraped for a while and then again, by the same process: from, to (epoch ms)."""
        return {name: gap for name, gap in self._gaps().items() if gap[1] and name not in self.restarts()}

    def down(self) -> dict[str, int]:
        """Members that are still not scraped at the end, and since when (epoch ms)."""
        return {name: gap[0] for name, gap in self._gaps().items() if not gap[1]}

    def unseen(self) -> list[str]:
        """Members whose every scrape in the window failed, by name: they may have left long ago."""
        lines = [line for line in self.of("up") if line.points and not any(p.value for p in line.points)]
        return sorted({self.member(line) for line in lines})

    def gone(self, name: str) -> tuple[tuple[int, int], ...]:
        """The spans in which a member did not answer scrapes (epoch ms); one that lasts ends at `end_ms`."""
        spans: list[tuple[int, int]] = []
        for line in (found for found in self.of("up") if self.member(found) == name):
            since = 0
            for point in line.points:
                if point.value == 0:
                    since = since or point.at_ms
                elif since:
                    spans.append((since, point.at_ms))
                    since = 0
            spans += [(since, self.end_ms)] if since else []
        return tuple(spans)

    def seen_since(self, name: str) -> int:
        """When the member was first scraped in the window (epoch ms)."""
        firsts = [line.points[0].at_ms for line in self.of("up") if line.points and self.member(line) == name]
        return min(firsts, default=self.end_ms)

    def _gaps(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for line in self.of("up"):
            bad = [p.at_ms for p in line.points if p.value == 0]
            good = [p.at_ms for p in line.points if p.value == 1]
            if bad and good:
                found[self.member(line)] = (bad[0], min((at for at in good if at > bad[-1]), default=0))
        return found

    def switch_ms(self) -> int | None:
        """When the first member that did not restart counted a leader change after its first one."""
        times = [at for line in self._steady() for at in _steps(line)]
        return min(times) if times else None

    def switch_times(self) -> list[int]:
        """When the member that counted most of the changes counted each (epoch ms), its first election left out."""
        return max((_steps(line) for line in self._steady()), key=len, default=[])

    def switches(self) -> dict[str, float]:
        """Per member that did not restart: leader changes counted, the first election left out."""
        return {self.member(line): float(len(_steps(line))) for line in self._steady()}

    def _steady(self) -> list[Line]:
        restarted = self.restarts()
        lines = self.of("etcd_server_leader_changes_seen_total")
        return [line for line in lines if self.member(line) not in restarted and line.points]

    def leaderless(self) -> dict[str, int]:
        """Members that had a leader and then saw none, and when first (epoch ms)."""
        seen: dict[str, int] = {}
        for line in self.of("etcd_server_has_leader"):
            led = next((p.at_ms for p in line.points if p.value == 1), None)
            lost = next((p.at_ms for p in line.points if p.value == 0 and led is not None and p.at_ms > led), None)
            if lost is not None:
                seen[self.member(line)] = lost
        return seen

    def leader_before(self, at_ms: int) -> str:
        """Who led at that time, by `etcd_server_is_leader`; empty if no member reported it."""
        last: tuple[int, str] = (0, "")
        for line in self.of("etcd_server_is_leader"):
            led = [p.at_ms for p in line.points if p.value == 1 and p.at_ms < at_ms]
            last = max(last, (led[-1], self.member(line))) if led else last
        return last[1]


def _steps(line: Line) -> list[int]:
    """Times at which the counter rose from an already elected state (1 or more)."""
    pairs = zip(line.points, line.points[1:], strict=False)
    return [b.at_ms for a, b in pairs if b.value > a.value >= 1]


def member_name(etcd: EtcdDecl, instance: str) -> str:
    """The declared member of an instance label."""
    known: EtcdMemberDecl | None = next((m for m in etcd.member if m.instance == instance), None)
    return known.name if known else instance


def read(ask: Ask, metrics: str) -> Members:
    """Asks for all metrics that the regular expression names. Raises Refused when nothing is declared or found."""
    etcd = etcd_of(ask.scope)
    server = server_of(ask, etcd)
    members = _members(ask, etcd, ask.range(server, _named(metrics, etcd)).lines)
    if not members.lines:
        raise Refused(
            Text(
                "Prometheus {server} has no such series of etcd {etcd} in the window",
                server=server.name,
                etcd=etcd.name,
            )
        )
    return members


def read_more(ask: Ask, etcd: EtcdDecl, metrics: str) -> Members:
    """Like `read`, and without lines where that is not answered: for what rounds a finding off."""
    return _members(ask, etcd, ask_more(ask, etcd, _named(metrics, etcd)).lines)


def ask_more(ask: Ask, etcd: EtcdDecl, query: str, start: datetime | None = None, step_s: int = 5) -> Answered:
    """A range query that may stay unanswered; the one that a finding shows remains the one asked before."""
    with ask.aside():
        try:
            return ask.range(server_of(ask, etcd), query, start, step_s)
        except ProductError:
            return Answered(())


def _named(metrics: str, etcd: EtcdDecl) -> str:
    return f'{{__name__=~"{metrics}"{"," + matcher(etcd.selector) if etcd.selector else ""}}}'


def _members(ask: Ask, etcd: EtcdDecl, lines: tuple[Line, ...]) -> Members:
    onset = round((fault_at(ask.scope) - LEAD).timestamp() * 1000)
    return Members(etcd, lines, onset, round(ask.scope.as_of.timestamp() * 1000))


def server_of(ask: Ask, etcd: EtcdDecl) -> PrometheusDecl:
    """Where the cluster's series are. Raises Refused when its declaration names none."""
    server = ask.prometheus(etcd.prometheus)
    if server is None:
        raise Refused(Text("etcd {name} names no declared Prometheus; set its `prometheus`", name=etcd.name))
    return server


def increase(line: Line, start_ms: int, end_ms: int) -> float:
    """What a counter gained in the range; a reset starts anew from its new value."""
    before = [p for p in line.points if p.at_ms < start_ms]
    points = ([before[-1]] if before else []) + [p for p in line.points if start_ms <= p.at_ms <= end_ms]
    return sum(gain(earlier, later) for earlier, later in itertools.pairwise(points))


def gain(earlier: Point, later: Point) -> float:
    """What a counter gained between two samples; after a reset it is all that it counted since."""
    return later.value - earlier.value if later.value >= earlier.value else later.value


def means(total: Line, count: Line) -> tuple[Point, ...]:
    """Mean of each group of new observations between two samples, at the time of the later one."""
    counts = {p.at_ms: p.value for p in count.points}
    pairs = [(p.at_ms, p.value, counts[p.at_ms]) for p in total.points if p.at_ms in counts]
    found = []
    for (_, s0, c0), (at, s1, c1) in itertools.pairwise(pairs):
        if c1 > c0 and s1 >= s0:
            found.append(Point(at, (s1 - s0) / (c1 - c0)))
    return tuple(found)


def series_of(name: str, points: tuple[Point, ...]) -> Series:
    """Chart data of one computed line."""
    return Series(name, points[-400:])
