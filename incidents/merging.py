"""Makes one incident of two, when a later alert connects them."""

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce

from domain.text import Text
from incidents import audit, graph_queue, investigations
from incidents.models import Alert, Feedback, Incident, TicketLink
from incidents.signals import incident_changed

BY = "grouping"


def merge(survivor: Incident, other: Incident, because: Text, now: datetime) -> None:
    """Move everything of the other incident to the surviving one; called within the transaction that groups alerts.

    The other one's row stays, resolved, with its verdicts and the tickets that it has at targets. The caller refreshes
    the state of the survivor and asks for its investigation.
    """
    _move_rows(survivor, other)
    _take_over_people(survivor, other)
    Incident.objects.filter(merged_into=other).update(merged_into=survivor)
    _keep_order(survivor, other)
    Incident.objects.filter(pk=other.pk).update(
        merged_into=survivor, state=Incident.State.RESOLVED, resolved_at=now, closed_at=None, follows=None
    )
    investigations.cancel(other, f"merged into incident #{survivor.number}")
    detail = {"number": str(other.number), "into": str(survivor.number), "because": because.en}
    audit.write(BY, "merge", str(other.pk), detail)
    other.refresh_from_db()
    for incident in (survivor, other):
        incident_changed.send(Incident, incident=incident, now=now)
    graph_queue.put([str(survivor.pk), str(other.pk)], now)


def _move_rows(survivor: Incident, other: Incident) -> None:
    """Alerts, feedback, deliveries, entities, and the labels by which tickets can be found."""
    Alert.objects.filter(incident=other).update(incident=survivor)
    Feedback.objects.filter(incident=other).update(incident=survivor)
    survivor.deliveries.add(*other.deliveries.defer("body"))
    survivor.entities.add(*other.entities.all())
    other.deliveries.clear()
    other.entities.clear()
    labels = TicketLink.objects.filter(incident=other, target="")
    known = TicketLink.objects.filter(incident=survivor).values("key")
    labels.filter(key__in=list(known.values_list("key", flat=True))).delete()
    labels.update(incident=survivor)


def _take_over_people(survivor: Incident, other: Incident) -> None:
    """Who acknowledged the other one, and to whom it is assigned, where nobody is known of the survivor."""
    other.refresh_from_db()
    if other.acknowledged_at:
        unseen = Incident.objects.filter(pk=survivor.pk, acknowledged_at__isnull=True)
        unseen.update(acknowledged_at=other.acknowledged_at, acknowledged_by=other.acknowledged_by)
    if other.assigned_to:
        Incident.objects.filter(pk=survivor.pk, assigned_to="").update(assigned_to=other.assigned_to)


def _keep_order(survivor: Incident, other: Incident) -> None:
    """What followed the other one follows the survivor, which follows what the other one did; none follows itself."""
    Incident.objects.filter(follows=other).exclude(pk=survivor.pk).update(follows=survivor)
    Incident.objects.filter(pk=survivor.pk, follows=other).update(follows=None)
    if other.follows_id != survivor.pk:
        Incident.objects.filter(pk=survivor.pk).update(follows=Coalesce(F("follows"), other.follows_id))
