"""The verdict of a recorded incident: no network, no database, no clock; the same bundle, the same bytes."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from domain.alerts import ParsedAlert, ParsedDelivery
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.scope import Scope
from domain.verdict import Verdict
from evidence.bundles import Bundle
from evidence.collect import Collected, collect
from evidence.recording import ReplayTransports
from incidents.assemble import scope_of
from investigate.decide import decide, with_unusual
from investigate.earlier import with_earlier

# A replay is bounded by the size of its bundle, so a slow machine must not turn findings into "too late".
BUDGET_S = 600.0
Parse = Callable[[bytes, datetime, SourceDecl], ParsedDelivery]


class Source(Protocol):
    """What a replay needs of an alert source: how its bodies are parsed."""

    @property
    def parse(self) -> Parse:
        """From a raw body, its time of arrival and the source's declaration; raises Malformed."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replayed incident: its scope, its findings with their answers, and its verdict."""

    scope: Scope
    collected: Collected
    verdict: Verdict


def replay(bundle: Bundle, sources: Mapping[str, Source]) -> Replayed:
    """Rank a bundle's deliveries, answers and history with the causes of this version; `sources` by kind.

    Raises Malformed when the bundle holds no alert that a source understands.
    """
    alerts = tuple(_alerts(bundle, sources))
    if not alerts:
        raise Malformed("holds no alert; record it again with its deliveries", "deliveries")
    scope = scope_of(_identity(bundle), alerts, bundle.connections, bundle.as_of, bundle.changes)
    collected = collect(scope, ReplayTransports(bundle.answers), budget_s=BUDGET_S)
    findings = with_earlier(scope, collected.findings, bundle.earlier)
    collected = with_unusual(scope, replace(collected, findings=findings))
    return Replayed(scope, collected, decide(scope, collected.findings, bundle.similar))


def _alerts(bundle: Bundle, sources: Mapping[str, Source]) -> Iterator[ParsedAlert]:
    """The incident's alerts that had arrived by `as_of`."""
    own = set(bundle.alerts)
    for number, delivery in enumerate(bundle.deliveries, 1):
        if delivery.received_at > bundle.as_of:
            continue
        source = sources.get(delivery.kind)
        if source is None:
            raise Malformed(f"unknown source kind `{delivery.kind}`", f"deliveries/{number:04}.json")
        declared = bundle.connections.source_of(delivery.kind, delivery.name)
        parsed = source.parse(delivery.body.encode(), delivery.received_at, declared).alerts
        real = (alert for alert in parsed if not alert.test)
        yield from (alert for alert in real if not own or delivery.key(alert.identity) in own)


def _identity(bundle: Bundle) -> str:
    """An id for the incident from its content, whatever the bundle's path is."""
    digest = hashlib.sha256(bundle.as_of.isoformat().encode())
    for delivery in bundle.deliveries:
        digest.update(f"\0{delivery.kind}\0{delivery.name}\0{delivery.body}".encode())
    for alert in bundle.alerts:
        digest.update(f"\0{alert}".encode())
    return f"bundle-{digest.hexdigest()[:16]}"
