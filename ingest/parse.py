"""Parses deliveries and places their alerts in incidents; a delivery that cannot be parsed is parked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter

import structlog

from connections.declared import connections_for
from domain.alerts import ParsedDelivery
from domain.connections import Connections
from domain.errors import Malformed
from incidents import deliveries, sources
from incidents.burst import apply_burst
from incidents.models import Delivery, Incident
from ingest.refill import refill
from ingest.sns import admit
from ingest.sources import all_sources

Declared = Callable[[], Connections]
MOST_ALERTS = 2000
log = structlog.get_logger()


def ingest(delivery_ids: Sequence[str]) -> list[str]:
    """Parse deliveries and place their alerts, all of one source at once; the ids of the incidents that changed."""
    claimed = sorted(deliveries.claim_deliveries(delivery_ids), key=attrgetter("source_id"))
    by_source = groupby(claimed, key=attrgetter("source_id"))
    return [str(incident.pk) for _, rows in by_source for incident in _ingest_source(list(rows))]


def _ingest_source(rows: list[Delivery]) -> list[Incident]:
    """Ingest the deliveries of one source; the connections declared for it are read once."""
    declared = cache(partial(connections_for, rows[0].source))
    burst = [(row, parsed) for row in rows if (parsed := _parse_or_park(row, declared)) is not None]
    return _place_burst(burst, declared) if burst else []


def _parse_or_park(delivery: Delivery, declared: Declared) -> ParsedDelivery | None:
    try:
        connections = declared()
        admit(delivery, connections.source_of(delivery.source.kind, delivery.source.name))
        return _without_tests(delivery, _bounded(refill(delivery, _parse_body(delivery, connections), connections)))
    except Malformed as error:
        deliveries.park(delivery, str(error))
    except Exception as error:  # outermost level of a task: any error counts as an attempt
        log.exception("delivery_failed", delivery=str(delivery.pk))
        deliveries.fail_delivery(delivery, str(error))
    return None


def _parse_body(delivery: Delivery, connections: Connections) -> ParsedDelivery:
    """The parsed body. Raises Malformed: parsing is pure, so a body that fails once always fails."""
    source = delivery.source
    declared = connections.source_of(source.kind, source.name)
    try:
        return all_sources()[source.kind].parse(bytes(delivery.body), delivery.received_at, declared)
    except (RecursionError, OverflowError, ValueError) as error:
        log.exception("delivery_unreadable", delivery=str(delivery.pk))
        raise Malformed(f"it cannot be read ({error})") from error


def _without_tests(delivery: Delivery, parsed: ParsedDelivery) -> ParsedDelivery:
    """The delivery without test notifications, which open nothing; the source shows the last one."""
    tests = [alert for alert in parsed.alerts if alert.test]
    if not tests:
        return parsed
    sources.tested(delivery.source, tests[-1].title, delivery.received_at)
    return replace(parsed, alerts=tuple(alert for alert in parsed.alerts if not alert.test))


def _bounded(parsed: ParsedDelivery) -> ParsedDelivery:
    """The first `MOST_ALERTS` alerts, as many as a worker can place within a task's time limit.

    The others count as missing, like those that a sender leaves out.
    """
    over = len(parsed.alerts) - MOST_ALERTS
    if over <= 0:
        return parsed
    log.warning("delivery_cut", alerts=len(parsed.alerts), kept=MOST_ALERTS)
    return replace(parsed, alerts=parsed.alerts[:MOST_ALERTS], missing=parsed.missing + over)


def _place_burst(burst: list[tuple[Delivery, ParsedDelivery]], declared: Declared) -> list[Incident]:
    try:
        return apply_burst(burst, declared())
    except Exception as error:  # outermost level of a task: any error counts as an attempt
        if len(burst) > 1:  # one that cannot be placed must not hold up the others
            return [incident for pair in burst for incident in _place_burst([pair], declared)]
        delivery = burst[0][0]
        log.exception("delivery_failed", delivery=str(delivery.pk))
        deliveries.fail_delivery(delivery, str(error))
        return []
