"""Asks every declared server what comparing needs, each by its own declared access."""

from collections.abc import Callable

import msgspec

from connections.discovery.asking import Server, see
from connections.discovery.compare import Compared, Held, Rule, asked_of, compared
from connections.discovery.seen import Sample, Seen, series
from connections.discovery.wants import (
    checks_of_etcd,
    checks_of_pods,
    rule_query,
    rule_windows,
    wanted_query,
    wants,
)
from domain.connections import Connections, PrometheusDecl
from domain.errors import ProductError
from domain.secrets import ReadSecret

MOST_RULES = 2000


class _Alerting(msgspec.Struct):
    name: str = ""
    query: str = ""


class _Group(msgspec.Struct):
    rules: list[_Alerting] = []


class _Groups(msgspec.Struct):
    groups: list[_Group]


def hold(declared: Connections, read: ReadSecret, progress: Callable[[str], None] = lambda _: None) -> list[Compared]:
    """Every finding on a declared file, by what its servers show now."""
    held = {server.name: _held(server, declared, read, progress) for server in declared.prometheus}
    return [*compared(declared, held), *wants(declared, held)]


def _held(server: PrometheusDecl, declared: Connections, read: ReadSecret, progress: Callable[[str], None]) -> Held:
    try:
        asked = Server(server, read)
    except ProductError as error:
        return Held(None, str(error))
    try:
        seen = see(asked, lambda what: progress(f"{server.name}: {what}"))
        rules = _rules(asked, seen)
        query = rule_query(rules)
        rows = (_answer(asked, query, seen) or ()) if query else ()
        return Held(
            seen, "", _wanted(asked, server, declared, seen), rules, rows, _probes(asked, server, declared, seen)
        )
    except ProductError as error:
        return Held(None, str(error))
    finally:
        asked.close()


def _answer(asked: Server, query: str, seen: Seen) -> tuple[Sample, ...] | None:
    """The series of a query; None when it fails, and the sentence is kept."""
    try:
        return asked.query(query)
    except ProductError as error:
        seen.unanswered.append(str(error))
        return None


def _rules(asked: Server, seen: Seen) -> tuple[Rule, ...]:
    """The windows of the server's alerting rules; not every compatible server has rules."""
    try:
        groups = asked.data("api/v1/rules", _Groups, type="alert").groups
    except ProductError as error:
        seen.unanswered.append(f"its alerting rules, as {error}")
        return ()
    rules = [rule for group in groups for rule in group.rules][:MOST_RULES]
    return tuple(window for rule in rules for window in rule_windows(rule.name, rule.query))


def _wanted(
    asked: Server, server: PrometheusDecl, declared: Connections, seen: Seen
) -> dict[str, tuple[Sample, ...] | None]:
    """By check, and by etcd cluster. Pods are only looked for where there are any, or where they are declared."""
    found = {}
    for etcd in (e for e in declared.etcd if asked_of(declared, e.prometheus) is server):
        for check in checks_of_etcd(etcd):
            found[f"{check.slug}/{etcd.name}"] = _answer(asked, wanted_query(check, etcd), seen)
    if seen.nodes or seen.kubelets or declared.kubernetes:
        found |= {check.slug: _answer(asked, wanted_query(check), seen) for check in checks_of_pods()}
    return found


def _probes(asked: Server, server: PrometheusDecl, declared: Connections, seen: Seen) -> dict[str, float | None]:
    """How many series each declared exporter of this server has."""
    found: dict[str, float | None] = {}
    for exporter in (b for b in declared.blackbox if asked_of(declared, b.prometheus) is server):
        rows = _answer(asked, f"count({series('probe_success', exporter.selector)})", seen)
        found[exporter.name] = None if rows is None else sum(row.value for row in rows)
    return found
