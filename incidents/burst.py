"""A burst of deliveries into the record: alerts, incidents, and what is asked for next."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from domain.alerts import ParsedAlert, ParsedDelivery
from domain.connections import Connections
from incidents.correlate import place_alert, refresh_state
from incidents.deliveries import LEASE
from incidents.entities import EntityCache
from incidents.investigations import ask_investigation
from incidents.models import (
    Connection,
    Delivery,
    Incident,
    Source,
    TicketLink,
)
from incidents.signals import incident_changed

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
        _one_at_a_time()
        things, until = EntityCache(connections), time.monotonic() + HOLD_S
        touched: dict[str, Incident] = {}
        while steps:
            touched |= _place(steps.popleft(), things)
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


def _place(step: _Step, things: EntityCache) -> dict[str, Incident]:
    """The incidents that some alerts of a delivery are part of, by id; the last ones mark the delivery done."""
    delivery, parsed = step.delivery, step.parsed
    placed = [place_alert(delivery, alert, things) for alert in step.alerts]
    touched = {str(incident.pk): incident for incident in placed}
    delivery.incidents.add(*touched.values())
    for incident in touched.values():
        link_tickets(incident, parsed)
    if step.last:
        done = Delivery.objects.filter(pk=delivery.pk)
        done.update(state="done", reason="", claimed_until=None, missing=parsed.missing)
        Source.objects.filter(pk=delivery.source_id).update(last_delivery_at=delivery.received_at)
    return touched


def _one_at_a_time() -> None:
    """Grouping reads what it writes: on PostgreSQL one writer holds this row; SQLite has one writer anyway."""
    lock = {"kind": "lock", "name": "grouping"}
    if not Connection.objects.select_for_update().filter(**lock):
        Connection.objects.get_or_create(**lock, defaults={"config": {}})
        list(Connection.objects.select_for_update().filter(**lock))


def link_tickets(incident: Incident, parsed: ParsedDelivery) -> None:
    """Remember by which keys and labels this incident's tickets can be found."""
    keys = {*parsed.ticket_labels, *(key for alert in parsed.alerts for key in alert.ticket_keys)}
    TicketLink.objects.bulk_create(
        [TicketLink(incident=incident, key=key[:255]) for key in sorted(keys)], ignore_conflicts=True
    )
