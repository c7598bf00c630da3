"""The verdict of a recorded incident: no network, no database, no clock; the same bundle, the same bytes."""

import hashlib
from collections.abc import Iterator

from domain.alerts import ParsedAlert
from domain.errors import Malformed
from domain.scope import Scope
from domain.verdict import Verdict
from evidence.bundles import Bundle
from evidence.collect import Collected, collect
from evidence.recording import ReplayTransports
from incidents.assemble import scope_of
from ingest.judging import completed, judge
from ingest.sources import all_sources

# A replay is bounded by the size of its bundle, so a slow machine must not turn findings into "too late".
BUDGET_S = 600.0


def replay(bundle: Bundle) -> Verdict:
    """Deliveries, recorded answers and the history of then, ranked by today's causes.

    Raises Malformed when the bundle holds no alert that a source understands.
    """
    scope, collected = look(bundle)
    return judge(scope, collected.findings, bundle.similar)


def look(bundle: Bundle) -> tuple[Scope, Collected]:
    """What the recorded incident is about, and what its recorded answers say."""
    alerts = tuple(_alerts(bundle))
    if not alerts:
        raise Malformed("holds no alert; record it again with its deliveries", "deliveries")
    scope = scope_of(_identity(bundle), alerts, bundle.connections, bundle.as_of, bundle.changes)
    return scope, completed(scope, collect(scope, ReplayTransports(bundle.answers), budget_s=BUDGET_S))


def _alerts(bundle: Bundle) -> Iterator[ParsedAlert]:
    """Everything about the incident that had come in by `as_of`."""
    sources, own = all_sources(), set(bundle.alerts)
    for number, delivery in enumerate(bundle.deliveries, 1):
        if delivery.received_at > bundle.as_of:
            continue
        source = sources.get(delivery.kind)
        if source is None:
            raise Malformed(f"unknown source kind `{delivery.kind}`", f"deliveries/{number:04}.json")
        told = source.parse(delivery.body.encode(), delivery.received_at).alerts
        yield from (alert for alert in told if not own or delivery.key(alert.identity) in own)


def _identity(bundle: Bundle) -> str:
    """A name for the incident that follows from what came in, not from where the bundle lies."""
    digest = hashlib.sha256(bundle.as_of.isoformat().encode())
    for delivery in bundle.deliveries:
        digest.update(f"\0{delivery.kind}\0{delivery.name}\0{delivery.body}".encode())
    for alert in bundle.alerts:
        digest.update(f"\0{alert}".encode())
    return f"bundle-{digest.hexdigest()[:16]}"
