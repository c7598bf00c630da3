"""What people do to an incident itself: acknowledge, assign, close, reopen."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from incidents import audit, graph_queue
from incidents.correlate import refresh_state
from incidents.models import Incident
from incidents.signals import incident_changed


def locked(incident_id: str) -> Incident:
    """The row, held until the end of the transaction."""
    return Incident.objects.select_for_update().get(pk=incident_id)


def acknowledge(incident: Incident, by: str) -> None:
    """Somebody looks at it; the first one counts."""
    now = timezone.now()
    with transaction.atomic():
        won = Incident.objects.filter(pk=incident.pk, acknowledged_at__isnull=True).update(
            acknowledged_at=now, acknowledged_by=by[:150]
        )
        if won:
            audit.write(by, "acknowledge", str(incident.pk))
            incident_changed.send(Incident, incident=incident, now=now)


def assign(incident: Incident, to: str) -> bool:
    """Whether it was assigned to somebody else before; who it is assigned to has acknowledged it."""
    if not to or incident.assigned_to == to[:150]:
        return False
    Incident.objects.filter(pk=incident.pk).update(assigned_to=to[:150])
    acknowledge(incident, to)
    incident_changed.send(Incident, incident=incident, now=timezone.now())
    return True


def close(incident: Incident, at: datetime) -> bool:
    """Whether it is resolved by that. Alerts that still fire do not hold it open; one that starts later does."""
    if incident.state == "resolved":
        return False
    Incident.objects.filter(pk=incident.pk).update(closed_at=at)
    return refresh_state(incident) and _announced(incident)


def reopen(incident: Incident) -> bool:
    """Whether it was resolved. It is open until its alerts or its ticket say otherwise."""
    won = Incident.objects.filter(pk=incident.pk, state="resolved").update(
        state="open", resolved_at=None, closed_at=None, reopened=F("reopened") + 1
    )
    return bool(won) and _announced(incident)


def _announced(incident: Incident) -> bool:
    now = timezone.now()
    incident_changed.send(Incident, incident=incident, now=now)
    graph_queue.put([str(incident.pk)], now)
    return True
