"""What checks and alerting rules want of a server: which series, and scrapes that are close enough. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from connections.discovery.compare import MISSING, OK, WRONG, Compared, Held, Rule
from connections.discovery.seen import Sample, seconds_of
from domain.connections import Connections, EtcdDecl
from domain.entities import EntityKind, EntityRef
from domain.scope import Scope
from evidence.check import Check
from evidence.checks import all_checks
from evidence.clients.prometheus import escape, matcher

# Fewer samples than these within a window say little; with fewer than two a rate has no value at all.
LEAST, ANY = 4, 2
# Prometheus itself writes this one.
OF_SERVER = "up"
# What every program exports: it counts only where it is a pod's own.
OWN = "(go|process|http|grpc|hikaricp|pgxpool)_.*"
EXPORTERS = (
    ("kube_", "kube-state-metrics"), ("node_", "node_exporter"), ("container_", "the kubelets' /metrics/cadvisor"),
    ("prober_", "the kubelets' /metrics/probes"), ("probe_", "the blackbox exporter"),
    ("apiserver_", "the API servers"), ("etcd_request_", "the API servers"), ("etcd_", "the members' /metrics"),
    ("(etcd_", "the members' /metrics"),
)  # fmt: skip
_WINDOW = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{[^{}]*\})?\s*\[\s*(\w+)")
_THEN = datetime(2000, 1, 1, tzinfo=UTC)


def checks_of_etcd(etcd: EtcdDecl) -> list[Check]:
    """The checks that ask Prometheus about this cluster and about no pod."""
    about = _scope(Connections(etcd=[etcd]), EntityRef(EntityKind.ETCD_CLUSTER, etcd.name, etcd.cluster))
    pods = {check.slug for check in checks_of_pods()}
    return [check for check in _asking() if check.applies(about) and check.slug not in pods]


def checks_of_pods() -> list[Check]:
    """The checks that ask Prometheus about a pod."""
    about = _scope(Connections(), EntityRef(EntityKind.POD, "any", "", "any"))
    return [check for check in _asking() if check.applies(about)]


def _scope(connections: Connections, ref: EntityRef) -> Scope:
    return Scope("any", _THEN, _THEN, (), (ref,), connections)


def _asking() -> list[Check]:
    return [check for check in all_checks() if check.metrics]


def wanted_query(check: Check, etcd: EtcdDecl | None = None) -> str:
    """Which of the names that a check wants are there, and by which jobs."""
    names = "|".join(m for m in check.metrics if m != OF_SERVER)
    if etcd is not None:
        own = f",{matcher(etcd.selector)}" if etcd.selector else ""
        return f'count by (__name__, job) ({{__name__=~"{names}"{own}}})'
    others, pods = f'{{__name__=~"{names}",__name__!~"{OWN}"}}', f'{{__name__=~"{names}",pod!=""}}'
    return f"count by (__name__, job) ({others} or {pods})"


def rule_windows(name: str, query: str) -> list[Rule]:
    """The range selectors of an alerting rule's expression."""
    return [Rule(name, metric, s) for metric, window in _WINDOW.findall(query) if (s := seconds_of(window))]


def rule_query(rules: tuple[Rule, ...], most: int = 150) -> str:
    """Which jobs export the metrics of the rules; empty without any."""
    names = sorted({escape(rule.metric) for rule in rules})[:most]
    return f'count by (__name__, job) ({{__name__=~"{"|".join(names)}"}})' if names else ""


def wants(declared: Connections, held: Mapping[str, Held]) -> list[Compared]:
    """What checks would ask for in vain, and which jobs are scraped too rarely for checks and rules."""
    found: list[Compared] = []
    for server in declared.prometheus:
        if held[server.name].seen is not None:
            found += _exported(server.name, held[server.name], declared)
            found += _intervals(server.name, held[server.name], declared)
    return found


def _exported(server: str, held: Held, declared: Connections) -> Iterator[Compared]:
    for slug, check, where in _askers(held, declared):
        rows = held.wanted.get(slug)
        if rows is None:
            yield Compared(MISSING, f"check {check.slug}: {server} did not say what is exported", "ask again")
            continue
        there = {row.labels.get("__name__", "") for row in rows}
        lost = [m for m in check.metrics if m != OF_SERVER and not any(re.fullmatch(m, name) for name in there)]
        if lost:
            yield _unexported(check, lost, where or server)
        else:
            yield Compared(OK, f"check {check.slug}: {where or server} exports what it needs")


def _askers(held: Held, declared: Connections) -> Iterator[tuple[str, Check, str]]:
    """The checks that this server was asked about: key in `wanted`, check, and the etcd cluster if it is about one."""
    by_key = {check.slug: (check, "") for check in checks_of_pods()}
    for etcd in declared.etcd:
        by_key |= {f"{c.slug}/{etcd.name}": (c, f"etcd {etcd.name}") for c in checks_of_etcd(etcd)}
    for key, (check, where) in by_key.items():
        if key in held.wanted:
            yield key, check, where


def _unexported(check: Check, lost: list[str], where: str) -> Compared:
    """All of a check's measures are lost when nothing is there, else some of them."""
    some = "" if len(lost) == len([m for m in check.metrics if m != OF_SERVER]) else "some of "
    share = f"{some}its measures ({len(check.measures)}) stay unknown"
    others = "the members' /metrics" if check.slug.startswith("etcd-") else "the services' own /metrics"
    who = sorted({next((name for start, name in EXPORTERS if m.startswith(start)), others) for m in lost})
    return Compared(MISSING, f"check {check.slug}: {where} exports no {', '.join(lost)}; {share}: {check.question.en}",
                    f"scrape {' and '.join(who)} if you want it")  # fmt: skip


def _intervals(server: str, held: Held, declared: Connections) -> Iterator[Compared]:
    """For each job the narrowest window of a check, and each rule that has too few samples."""
    intervals = held.seen.intervals if held.seen else {}
    narrowest: dict[str, tuple[float, str]] = {}
    for slug, check, _ in _askers(held, declared):
        for job in {row.labels.get("job", "") for row in held.wanted.get(slug) or ()}:
            narrowest[job] = min(narrowest.get(job, (check.span_s, check.slug)), (check.span_s, check.slug))
    wide = {job: (s, slug) for job, (s, slug) in sorted(narrowest.items()) if intervals.get(job, 0) * LEAST > s}
    for job, (span_s, slug) in wide.items():
        yield Compared(MISSING, f"job {job} of {server} is scraped every {intervals[job]:g} s; check {slug} compares "
                       f"within {span_s:g} s", f"scrape it every {span_s / LEAST:g} s or more often")  # fmt: skip
    if narrowest and not wide and any(job in intervals for job in narrowest):
        yield Compared(OK, f"{server} scrapes the jobs of the checks often enough")
    yield from _rules(held, intervals)


def _rules(held: Held, intervals: Mapping[str, float]) -> Iterator[Compared]:
    jobs: dict[str, list[Sample]] = {}
    for row in held.rule_series:
        jobs.setdefault(row.labels.get("__name__", ""), []).append(row)
    for rule in dict.fromkeys(held.rules):
        for job in sorted({row.labels.get("job", "") for row in jobs.get(rule.metric, ())}):
            samples = rule.window_s / intervals[job] if intervals.get(job) else LEAST
            if samples < LEAST:
                yield _rule(rule, job, intervals[job], samples)


def _rule(rule: Rule, job: str, interval_s: float, samples: float) -> Compared:
    what = f"rule {rule.name}: {rule.metric}[{rule.window_s:g}s] has {samples:.1f} samples of job {job}"
    remedy = f"widen the window to {LEAST * interval_s:g} s, or scrape every {rule.window_s / LEAST:g} s"
    if samples < ANY:
        return Compared(WRONG, f"{what}: the rule never fires", remedy)
    return Compared(MISSING, f"{what}: one lost scrape silences it", remedy)
