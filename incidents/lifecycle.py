"""What people do with an incident: acknowledge, assign, close, reopen."""

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
    """Store who acknowledged the incident first; a later acknowledgement changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        won = Incident.objects.filter(pk=incident.pk, acknowledged_at__isnull=True).update(
            acknowledged_at=now, acknowledged_by=by[:150]
        )
        if won:
            audit.write(by, "acknowledge", str(incident.pk))
            incident_changed.send(Incident, incident=incident, now=now)


def assign(incident: Incident, to: str) -> bool:
    """Assign the incident, which also acknowledges it; whether the assignee changed."""
    if not to or incident.assigned_to == to[:150]:
        return False
    Incident.objects.filter(pk=incident.pk).update(assigned_to=to[:150])
    acknowledge(incident, to)
    incident_changed.send(Incident, incident=incident, now=timezone.now())
    return True


def close(incident: Incident, at: datetime) -> bool:
    """Close the incident; whether that resolved it. Alerts that fire already do not hold it open, later ones do."""
    if incident.state == "resolved":
        return False
    Incident.objects.filter(pk=incident.pk).update(closed_at=at)
    resolved = refresh_state(incident)
    if resolved:
        _announce(incident)
    return resolved


def reopen(incident: Incident) -> bool:
    """Open a resolved incident again, until its alerts or its ticket resolve it; whether that opened it.

    One that was merged into another stays as it is.
    """
    reopened = Incident.objects.filter(pk=incident.pk, state="resolved", merged_into=None).update(
        state="open", resolved_at=None, closed_at=None, reopened=F("reopened") + 1
    )
    if reopened:
        _announce(incident)
    return bool(reopened)


def _announce(incident: Incident) -> None:
    now = timezone.now()
    incident_changed.send(Incident, incident=incident, now=now)
    graph_queue.put([str(incident.pk)], now)
