"""A declared file held against what its servers show: what matches nothing, is not declared, or differs. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connections.discovery.etcd import LEADER
from connections.discovery.propose import base_of
from connections.discovery.seen import Sample, Seen, selected, series, shown
from domain.connections import BlackboxDecl, Connections, EtcdDecl, EtcdMemberDecl, PrometheusDecl

WRONG, MISSING, OK = "wrong", "missing", "ok"
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """One finding: `wrong` does not work as it is declared, `missing` costs an answer; `ok` needs no remedy."""

    level: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A range selector of an alerting rule: the rule's name, the metric and the seconds of its window."""

    name: str
    metric: str
    window_s: float


@dataclass(slots=True)
class Held:
    """What one declared server shows; `seen` is None when it cannot be asked, for the reason `error`.

    `wanted` has for each check's slug the series of what it wants (labels `__name__` and `job`), by etcd cluster where
    the check is about one (`slug/cluster`); None where that was not answered. `probes` counts the series of each
    declared exporter.
    """

    seen: Seen | None
    error: str = ""
    wanted: Mapping[str, tuple[Sample, ...] | None] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    rule_series: tuple[Sample, ...] = ()
    probes: Mapping[str, float | None] = field(default_factory=dict)


def asked_of(declared: Connections, named: str) -> PrometheusDecl | None:
    """The server that a `prometheus = "..."` means: the first one without a name, as the checks read it."""
    if not named:
        return declared.prometheus[0] if declared.prometheus else None
    return next((server for server in declared.prometheus if server.name == named), None)


def compared(declared: Connections, held: Mapping[str, Held]) -> list[Compared]:
    """Every finding but those on metrics and intervals, in order of the file; `held` is by the server's name."""
    found: list[Compared] = []
    for server in declared.prometheus:
        found += _server(declared, server, held[server.name])
    for etcd in declared.etcd:
        if (seen := _seen(declared, held, etcd.prometheus)) is not None:
            found += _etcd(etcd, seen)
    for exporter in declared.blackbox:
        asked = asked_of(declared, exporter.prometheus)
        if asked and held[asked.name].seen is not None:
            found.append(_blackbox(exporter, held[asked.name]))
    return found


def _seen(declared: Connections, held: Mapping[str, Held], named: str) -> Seen | None:
    server = asked_of(declared, named)
    return held[server.name].seen if server else None


def _server(declared: Connections, server: PrometheusDecl, held: Held) -> Iterator[Compared]:
    if held.seen is None:
        yield Compared(WRONG, f"prometheus {server.name}: {held.error}", "correct its url or its access in the file")
        return
    version = f", version {held.seen.version}" if held.seen.version else ""
    yield Compared(OK, f"prometheus {server.name} answers{version}")
    yield from _clusters(declared, server, held.seen)
    yield from _alertmanagers(declared, held.seen)
    for sentence in held.seen.unanswered:
        yield Compared(MISSING, f"prometheus {server.name}: {shown(sentence)}", "what rests on it was not compared")


def _clusters(declared: Connections, server: PrometheusDecl, seen: Seen) -> Iterator[Compared]:
    """Whether the declared clusters of the server, and of Kubernetes, are labels of its series."""
    there = {seen.cluster(s.labels) for s in seen.up} - {""}
    for cluster in (c for c in server.clusters if c not in there):
        yield Compared(WRONG, f"prometheus {server.name}: no series has the cluster label {cluster}",
                       f"write what is there ({_list(there)}) or leave `clusters` out")  # fmt: skip
    if server.clusters and (more := there - set(server.clusters)):
        yield Compared(MISSING, f"prometheus {server.name}: series of {_list(more)} are there and not in `clusters`",
                       "add them, or their incidents are not asked about here")  # fmt: skip
    for own in declared.kubernetes:
        if there and own.name not in there and asked_of(declared, own.prometheus) is server:
            yield Compared(WRONG, f"kubernetes {own.name}: no series has this cluster label",
                           f"name it as the label does: {_list(there)}")  # fmt: skip


def _alertmanagers(declared: Connections, seen: Seen) -> Iterator[Compared]:
    there = {base_of(url) for url in seen.alertmanagers}
    for source in declared.source:
        if source.kind == "alertmanager" and source.api_url and there and source.api_url.rstrip("/") not in there:
            yield Compared(MISSING, f"source {source.name}: the server sends its alerts to {_list(there)}",
                           f"correct api_url ({source.api_url}) unless it is the same one by another name")  # fmt: skip


def _etcd(etcd: EtcdDecl, seen: Seen) -> Iterator[Compared]:
    rows = selected(seen.etcd, etcd.selector)
    where = series(LEADER, etcd.selector)
    if not rows:
        jobs = _list({s.labels.get("job", "") for s in seen.etcd}) or "none"
        yield Compared(WRONG, f"etcd {etcd.name}: {where} matches nothing",
                       f"correct its selector, unless all members are down; jobs with {LEADER}: {jobs}")  # fmt: skip
        return
    yield Compared(OK, f"etcd {etcd.name}: {where} matches {len(rows)} series")
    yield from _cluster_differs(etcd, rows, seen)
    there = sorted({s.labels.get("instance", "") for s in rows})
    scraped = {s.labels.get("instance", ""): s.value for s in selected(seen.etcd_scrapes, etcd.selector)}
    for member in etcd.member:
        yield from _member(etcd, member, there, scraped)
    yield from _undeclared(etcd, there)


def _cluster_differs(etcd: EtcdDecl, rows: list[Sample], seen: Seen) -> Iterator[Compared]:
    there = {seen.cluster(s.labels) for s in rows} - {""}
    if len(there) > 1:
        yield Compared(WRONG, f"etcd {etcd.name}: its selector matches members of several clusters: {_list(there)}",
                       "add the cluster label to its selector")  # fmt: skip
    elif there and etcd.cluster not in there:
        yield Compared(WRONG, f"etcd {etcd.name}: cluster is `{etcd.cluster}`, its series say {_list(there)}",
                       "write the label's value as `cluster`")  # fmt: skip


def _member(
    etcd: EtcdDecl, member: EtcdMemberDecl, there: list[str], scraped: Mapping[str, float]
) -> Iterator[Compared]:
    who = f"etcd {etcd.name}, member {member.name}"
    if not member.instance:
        yield Compared(WRONG, f"{who}: has no `instance`, so no series is its own",
                       f"add the `instance` label of its series; there are {_list(there)}")  # fmt: skip
    elif member.instance in there:
        yield Compared(OK, f"{who}: instance {member.instance} has series")
    elif member.instance in scraped:
        yield Compared(MISSING, f"{who}: instance {member.instance} does not answer scrapes now",
                       "see whether the member runs")  # fmt: skip
    else:
        yield Compared(WRONG, f"{who}: no series has instance {member.instance}",
                       f"correct it; there are {_list(there)}")  # fmt: skip
    if len(etcd.member) > 1 and not member.zone:
        yield Compared(MISSING, f"{who}: has no zone", "add `zone`, or a late zone is not told from a late member")


def _undeclared(etcd: EtcdDecl, there: list[str]) -> Iterator[Compared]:
    for instance in sorted(set(there) - {m.instance for m in etcd.member}):
        yield Compared(WRONG, f"etcd {etcd.name}: instance {instance} is a member that nobody declared",
                       "add it as [[etcd.member]], or narrow the selector if it is another cluster's")  # fmt: skip


def _blackbox(exporter: BlackboxDecl, held: Held) -> Compared:
    where, count = series("probe_success", exporter.selector), held.probes.get(exporter.name)
    if count is None:
        return Compared(MISSING, f"blackbox {exporter.name}: {where} was not answered", "ask again")
    if count:
        return Compared(OK, f"blackbox {exporter.name}: {where} matches {count:.0f} series")
    jobs = _list({s.labels.get("job", "") for s in held.seen.probes}) if held.seen else ""
    return Compared(WRONG, f"blackbox {exporter.name}: {where} matches nothing",
                    f"correct its selector; jobs with probe_success: {jobs or 'none'}")  # fmt: skip


def _list(names: Iterable[str]) -> str:
    """Some of the names, in order; what is left out is counted."""
    known = sorted(name for name in names if name)
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return shown(", ".join(known[:SHOWN])) + more
