"""What does `etcdctl endpoint health` report, where an executor is declared? `took` separates slow from unhealthy."""

import re
from dataclasses import dataclass

import msgspec

from domain.connections import EtcdDecl
from domain.errors import Malformed, Unreachable
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.etcd_choice import etcd_of, etcds
from evidence.recording import Answer, RunAnswer

ACTION = "endpoint-health"
# A linearizable read is at least one round trip to the leader and one to a majority: slow from a tenth of the
# election timeout, where etcd's guidance for a single round trip ends.
SLOW_SHARE = 0.10
UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "\u00b5s": 1e-6, "us": 1e-6, "ns": 1e-9}
# Errors of our own access, not of the member.
OURS = ("user name is empty", "authentication failed", "invalid auth token", "permission denied", "x509", "tls:")


class _Row(msgspec.Struct):
    endpoint: str
    health: bool
    took: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One member as etcdctl saw it; `healthy` is None when our own access was refused, `took_s` when it is missing."""

    name: str
    healthy: bool | None
    took_s: float | None
    error: str = ""


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    etcd = etcd_of(ask.scope)
    ask.connection, ask.query = etcd.name, f"etcdctl endpoint health -w json ({etcd.executor})"
    ask.start = ask.end = ask.scope.as_of
    found = _endpoints(etcd, ask.transports.run(etcd, ACTION))
    limit = SLOW_SHARE * etcd.election_timeout_ms / 1000
    return {"etcd-endpoint-unhealthy": _unhealthy(found), "etcd-endpoint-slow": _slow(found, limit)}


def _endpoints(etcd: EtcdDecl, answer: Answer) -> list[Endpoint]:
    """Exit code 1 with valid JSON is a result: a member is unhealthy. Raises when there is no result."""
    if answer.status == 0:
        raise Unreachable(f"etcdctl gave no result: {answer.error}")
    ran = msgspec.json.decode(answer.answer, type=RunAnswer)
    try:
        rows = msgspec.json.decode(ran.stdout.strip().encode(), type=list[_Row])
    except msgspec.DecodeError as error:
        raise Malformed(f"etcdctl ended with {ran.rc} and without its JSON: {ran.error or 'no complaint'}") from error
    names = {member.endpoint.rstrip("/"): member.name for member in etcd.member}
    found = [_endpoint(names.get(row.endpoint.rstrip("/"), row.endpoint[:100]), row) for row in rows]
    missing = sorted(set(names.values()) - {e.name for e in found})
    return sorted(found + [Endpoint(name, None, None, "not asked") for name in missing], key=lambda e: e.name)


def _endpoint(name: str, row: _Row) -> Endpoint:
    ours = not row.health and any(words in row.error for words in OURS)
    return Endpoint(name, None if ours else row.health, seconds(row.took), row.error[:200])


def seconds(took: str) -> float | None:
    """A Go duration such as `1m2.5s` or `17.1ms` in seconds; None when it is none."""
    parts = re.findall(r"([0-9.]+)(ns|us|\u00b5s|ms|s|m|h)", took)
    if not parts or "".join(number + unit for number, unit in parts) != took:
        return None
    try:
        return sum(float(number) * UNITS_S[unit] for number, unit in parts)
    except ValueError:
        return None


def _items(found: list[Endpoint], limit: float | None = None) -> tuple[Item, ...]:
    """A row per endpoint, marked when it took `limit` seconds or more; without a limit, when it is unhealthy."""
    if limit is None:
        return tuple(Item(e.name, e.took_s, e.error, e.healthy is False) for e in found)
    return tuple(Item(e.name, e.took_s, e.error, (e.took_s or 0) >= limit) for e in found)


def _unhealthy(found: list[Endpoint]) -> MeasureResult:
    bad, unsure = [e.name for e in found if e.healthy is False], [e for e in found if e.healthy is None]
    who = ", ".join(bad)
    if unsure and not bad:
        errors = "; ".join(f"{e.name}: {e.error}" for e in unsure)
        why = Text("not all endpoints told ({errors})", errors=errors)
        sentence = Text("Whether every endpoint is healthy is unknown.")
        return MeasureResult(None, sentence, items=_items(found), why_unknown=why)
    yes = Text("A read through consensus fails at {failing}.", failing=who)
    no = Text("A read through consensus succeeds at all {endpoints} endpoints.", endpoints=len(found))
    return MeasureResult(bool(bad), yes if bad else no, float(len(bad)), 0, who, items=_items(found))


def _slow(found: list[Endpoint], limit: float) -> MeasureResult:
    """Of the healthy ones only: an unhealthy one took its whole time limit, which is no measurement."""
    times = {e.name: e.took_s for e in found if e.healthy and e.took_s is not None}
    if not times:
        why = Text("no endpoint answered")
        return MeasureResult(None, Text("Whether reads are slow is unknown."), None, limit, why_unknown=why)
    slow = [name for name, took in times.items() if took >= limit]
    worst = max(sorted(times), key=lambda name: times[name])
    yes = Text(
        "A read through consensus takes {took_ms:.0f} ms at {endpoint}: slow, and not unhealthy.",
        took_ms=times[worst] * 1000,
        endpoint=worst,
    )
    no = Text(
        "Reads through consensus take at most {took_ms:.0f} ms ({endpoint}).",
        took_ms=times[worst] * 1000,
        endpoint=worst,
    )
    who = slow[0] if len(slow) == 1 else ""
    return MeasureResult(bool(slow), yes if slow else no, times[worst], limit, who, items=_items(found, limit))


def _applies(scope: Scope) -> bool:
    return any(etcd.executor != "http" for etcd in etcds(scope)[:1])


CHECK = Check(
    "etcd-endpoint-health",
    Text("What does etcdctl say of the endpoints?"),
    (
        Measure("etcd-endpoint-unhealthy", Text("Does a read through consensus fail?"), "endpoints"),
        Measure("etcd-endpoint-slow", Text("Are reads through consensus slow?"), "s"),
    ),
    _applies,
    _collect,
    needs=("etcdctl or ansible",),
)
