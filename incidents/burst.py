"""Writes a burst of deliveries into the record: alerts and incidents, and asks for their investigations."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from domain.alerts import ParsedAlert, ParsedDelivery
from domain.connections import Connections
from incidents.connections import lock_grouping
from incidents.correlate import Placing, place_alert, refresh_state
from incidents.deliveries import LEASE
from incidents.entities import EntityCache
from incidents.investigations import ask_investigation
from incidents.models import Delivery, Incident, Source
from incidents.signals import incident_changed
from incidents.tickets import link_tickets

# SQLite allows one writer, and a door waits for it 20 s at most. So a long delivery is written `STEP` alerts at a time
# in transactions of `HOLD_S`, with a pause of `ROOM_S` between two: longer than SQLite sleeps between two attempts.
HOLD_S, ROOM_S, STEP = 1.0, 0.12, 20


@dataclass(frozen=True, slots=True)
class _Step:
    """Some alerts of one delivery, and whether they are its last."""

    delivery: Delivery
    parsed: ParsedDelivery
    alerts: tuple[ParsedAlert, ...]
    last: bool


def apply_burst(burst: Sequence[tuple[Delivery, ParsedDelivery]], connections: Connections) -> list[Incident]:
    """Place all alerts of these deliveries in incidents and mark the deliveries done; the incidents that changed.

    It takes one transaction, or several where one would take longer than `HOLD_S`. Each transaction updates every
    incident that it changed once. After an error the whole burst is placed again, and placing twice changes nothing.
    """
    steps = deque(step for delivery, parsed in burst for step in _steps(delivery, parsed))
    touched: dict[str, Incident] = {}
    _apply(steps, connections, touched)
    while steps:
        time.sleep(ROOM_S)
        _apply(steps, connections, touched)
    return list(touched.values())


def _steps(delivery: Delivery, parsed: ParsedDelivery) -> Iterator[_Step]:
    alerts = parsed.alerts
    for start in range(0, len(alerts) or 1, STEP):
        yield _Step(delivery, parsed, alerts[start : start + STEP], start + STEP >= len(alerts))


def _apply(steps: deque[_Step], connections: Connections, touched: dict[str, Incident]) -> None:
    """Take as many steps off the queue as fit into one transaction; adds the incidents that they changed, by id.

    Incidents that became part of others are taken out.
    """
    with transaction.atomic():
        lock_grouping()
        placing, until = Placing(EntityCache(connections)), time.monotonic() + HOLD_S
        while steps:
            _place(steps.popleft(), placing)
            if time.monotonic() > until:
                break
        for incident in placing.touched.values():
            if refresh_state(incident):
                incident_changed.send(Incident, incident=incident, now=timezone.now())
            if str(incident.pk) in placing.changed:
                ask_investigation(incident)
        if steps:
            waiting = {step.delivery.pk for step in steps}
            Delivery.objects.filter(pk__in=waiting).update(claimed_until=timezone.now() + LEASE)
    touched.update(placing.touched)
    for merged in placing.merged:
        touched.pop(merged, None)


def _place(step: _Step, placing: Placing) -> None:
    """Place one step's alerts. The last step of a delivery marks it done."""
    delivery, parsed = step.delivery, step.parsed
    placed = {str(incident.pk) for incident in [place_alert(delivery, alert, placing) for alert in step.alerts]}
    touched = [placing.touched[pk] for pk in sorted(placed - placing.merged)]
    delivery.incidents.add(*touched)
    for incident in touched:
        link_tickets(incident, parsed)
    if step.last:
        done = Delivery.objects.filter(pk=delivery.pk)
        done.update(state="done", reason="", claimed_until=None, missing=parsed.missing)
        Source.objects.filter(pk=delivery.source_id).update(last_delivery_at=delivery.received_at)
