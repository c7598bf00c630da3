"""Small made series of a three-member etcd, answered as a Prometheus would answer them."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import msgspec

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Access, Connections, EtcdDecl, EtcdMemberDecl, PrometheusDecl
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import Scope
from evidence.check import Ask, run
from evidence.checks import all_checks
from evidence.recording import Answer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_S, END_S = -1800, 120
NAMES = ("etcd1", "etcd2", "etcd3")
IDS = {"etcd1": "a1", "etcd2": "a2", "etcd3": "a3"}
RTT = "etcd_network_peer_round_trip_time_seconds"
Level = Callable[[int], float]


@dataclass(frozen=True)
class Made:
    """One series: metric, member, labels, and its value at each second from noon; None is not scraped."""

    metric: str
    member: str
    value: Callable[[int], float | None]
    labels: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        times = range(START_S, END_S + 1, 5)
        values = [(NOON.timestamp() + s, str(v)) for s in times if (v := self.value(s)) is not None]
        return {"metric": {"__name__": self.metric, "instance": f"{self.member}:2379", **self.labels}, "values": values}


def gauge(metric: str, member: str, value: Callable[[int], float | None] | float, **labels: str) -> Made:
    return Made(metric, member, value if callable(value) else lambda _: value, labels)


def step(at_s: int, before: float, after: float) -> Level:
    return lambda s: after if s >= at_s else before


def away(since_s: int, until_s: int = 10_000) -> Level:
    """The `up` series of a member that does not answer in between."""
    return lambda s: 0.0 if since_s <= s < until_s else 1.0


def calm(*, up: dict[str, Level] | None = None, changes: dict[str, Level] | None = None,
         born: dict[str, Level] | None = None, led: dict[str, Level] | None = None) -> list[Made]:  # fmt: skip
    """What every check reads: scrapes, process starts, leader changes, and whether there is a leader."""
    made = []
    for name in NAMES:
        made.append(gauge("up", name, (up or {}).get(name, 1.0)))
        made.append(gauge("process_start_time_seconds", name, (born or {}).get(name, 1000.0)))
        made.append(gauge("etcd_server_leader_changes_seen_total", name, (changes or {}).get(name, 1.0)))
        made.append(gauge("etcd_server_has_leader", name, (led or {}).get(name, 1.0)))
        made.append(gauge("etcd_server_is_leader", name, 1.0 if name == "etcd1" else 0.0))
    return made


def round_trips(level: Callable[[str, str], Level], every_s: int = 30) -> list[Made]:
    """All six pairs: each new group of two samples has the level of that time, in seconds."""
    made = []
    for start in NAMES:
        for end in (n for n in NAMES if n != start):
            made += _pair(start, end, level(start, end), every_s)
    return made


def _pair(start: str, end: str, level: Level, every_s: int) -> list[Made]:
    groups = list(range(START_S, END_S + 1, every_s))
    count = {at: 2.0 * (i + 1) for i, at in enumerate(groups)}
    total, sums = 0.0, {}
    for at in groups:
        total += 2 * level(at)
        sums[at] = total

    def held(table: dict[int, float]) -> Level:
        return lambda s: table[START_S + (s - START_S) // every_s * every_s]

    return [gauge(f"{RTT}_sum", start, held(sums), To=IDS[end]), gauge(f"{RTT}_count", start, held(count), To=IDS[end])]


def counted(metric: str, member: str, per_s: float, mean: float) -> list[Made]:
    """Sum and count of a histogram whose mean is constant."""
    return [
        gauge(f"{metric}_count", member, lambda s: (s - START_S) * per_s),
        gauge(f"{metric}_sum", member, lambda s: (s - START_S) * per_s * mean),
    ]


def etcd_decl(name: str = "etcd", cluster: str = "prod-a", zones: Iterable[str] = ("za", "zb", "zc"),
              members: Iterable[str] = NAMES, **more: object) -> EtcdDecl:  # fmt: skip
    member = [
        EtcdMemberDecl(name=m, endpoint=f"http://{m}.test:2379", instance=f"{m}:2379", zone=z, host=f"db-{m[-1]}",
                       member_id=IDS.get(m, ""))
        for m, z in zip(members, zones, strict=True)
    ]  # fmt: skip
    plain = EtcdDecl(name=name, cluster=cluster, prometheus="main", selector={"job": name}, member=member)
    return msgspec.structs.replace(plain, **more)


def scope(etcd: Iterable[EtcdDecl] = (), entities: Iterable[EntityRef] = (), title: str = "etcd leader changed",
          labels: dict[str, str] | None = None) -> Scope:  # fmt: skip
    alert = ParsedAlert("a", "", AlertState.FIRING, "alert", title, Severity.HIGH, NOON, labels=labels or {})
    declared = Connections(prometheus=[PrometheusDecl(name="main", url="http://prometheus.test")],
                           etcd=list(etcd) or [etcd_decl()])  # fmt: skip
    found = tuple(entities)
    return Scope("i", NOON, NOON + timedelta(seconds=END_S), (alert,), found, declared)


MEMBER = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")


@dataclass
class FakeTransports:
    """Every connection answers from `series` by metric name, or from `told` by a part of the query."""

    series: list[Made]
    extra: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(self._answer))

    def answers(self) -> tuple[Answer, ...]:
        return ()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.content.decode())["query"][0]
        self.queries.append(query)
        named = re.match(r'\{__name__=~"([^"]+)"', query)
        if named:
            found = [s.json() for s in self.series if re.fullmatch(named.group(1), s.metric)]
        else:
            found = next((lines for part, lines in self.extra.items() if part in query), [])
        body = {"status": "success", "data": {"resultType": "matrix", "result": found}}
        return httpx.Response(200, content=json.dumps(body))


def asked(check: str, series: list[Made], where: Scope | None = None,
          extra: dict[str, list[dict[str, object]]] | None = None) -> dict[str, Finding]:  # fmt: skip
    """The findings of one check on made series, by measure."""
    found = next(c for c in all_checks() if c.slug == check)
    ask = Ask(where or scope(entities=[MEMBER]), FakeTransports(series, extra or {}))
    return {f.measure: f for f in run(found, ask)}


def buckets(labels: dict[str, str], counts: dict[str, float]) -> list[dict[str, object]]:
    """Lines of a bucket query: one sample at the end of the window."""
    at = NOON.timestamp() + END_S
    return [{"metric": labels | {"le": le}, "values": [(at, str(n))]} for le, n in counts.items()]
