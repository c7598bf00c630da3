"""A burst of deliveries into the record: alerts, incidents, and what is asked for next."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from domain.alerts import ParsedAlert, ParsedDelivery
from domain.connections import Connections
from incidents.connections import lock_grouping
from incidents.correlate import place_alert, refresh_state
from incidents.deliveries import LEASE
from incidents.entities import EntityCache
from incidents.investigations import ask_investigation
from incidents.models import Delivery, Incident, Source
from incidents.signals import incident_changed
from incidents.tickets import link_tickets

# SQLite has one writer, and the doors give up after 20 s: a long message leaves them room, more than they sleep between
# two attempts.
HOLD_S, ROOM_S, STEP = 1.0, 0.12, 20


@dataclass(frozen=True, slots=True)
class _Step:
    """Some alerts of one delivery, and whether they are its last."""

    delivery: Delivery
    parsed: ParsedDelivery
    alerts: tuple[ParsedAlert, ...]
    last: bool


def apply_burst(burst: Sequence[tuple[Delivery, ParsedDelivery]], connections: Connections) -> list[Incident]:
    """All alerts of these deliveries into the record and its incidents; marks them done.

    One transaction, or several where it would take longer than `HOLD_S`: the doors write to the same record. What an
    incident needs after its alerts is done once in each. What was placed before a fault is placed again later, which
    changes nothing.
    """
    steps = deque(step for delivery, parsed in burst for step in _steps(delivery, parsed))
    touched = _apply(steps, connections)
    while steps:
        time.sleep(ROOM_S)
        touched |= _apply(steps, connections)
    return list(touched.values())


def _steps(delivery: Delivery, parsed: ParsedDelivery) -> Iterator[_Step]:
    alerts = parsed.alerts
    for start in range(0, len(alerts) or 1, STEP):
        yield _Step(delivery, parsed, alerts[start : start + STEP], start + STEP >= len(alerts))


def _apply(steps: deque[_Step], connections: Connections) -> dict[str, Incident]:
    """As many steps as fit into one transaction; they are taken off. The incidents that they touched, by id."""
    with transaction.atomic():
        lock_grouping()
        entities, until = EntityCache(connections), time.monotonic() + HOLD_S
        touched: dict[str, Incident] = {}
        while steps:
            touched |= _place(steps.popleft(), entities)
            if time.monotonic() > until:
                break
        for incident in touched.values():
            if refresh_state(incident):
                incident_changed.send(Incident, incident=incident, now=timezone.now())
            ask_investigation(incident)
        if steps:
            waiting = {step.delivery.pk for step in steps}
            Delivery.objects.filter(pk__in=waiting).update(claimed_until=timezone.now() + LEASE)
    return touched


def _place(step: _Step, entities: EntityCache) -> dict[str, Incident]:
    """The incidents that some alerts of a delivery are part of, by id; the last ones mark the delivery done."""
    delivery, parsed = step.delivery, step.parsed
    placed = [place_alert(delivery, alert, entities) for alert in step.alerts]
    touched = {str(incident.pk): incident for incident in placed}
    delivery.incidents.add(*touched.values())
    for incident in touched.values():
        link_tickets(incident, parsed)
    if step.last:
        done = Delivery.objects.filter(pk=delivery.pk)
        done.update(state="done", reason="", claimed_until=None, missing=parsed.missing)
        Source.objects.filter(pk=delivery.source_id).update(last_delivery_at=delivery.received_at)
    return touched
