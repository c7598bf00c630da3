"""Links from incidents to tickets, and the keys and labels by which a ticket can be found."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from domain.alerts import ParsedDelivery
from incidents.models import Incident, TicketLink


def link_tickets(incident: Incident, parsed: ParsedDelivery) -> None:
    """Store the keys and labels by which this incident's tickets can be found."""
    keys = {*parsed.ticket_labels, *(key for alert in parsed.alerts for key in alert.ticket_keys)}
    TicketLink.objects.bulk_create(
        [TicketLink(incident=incident, key=key[:255]) for key in sorted(keys)], ignore_conflicts=True
    )


def put(incident_id: str, target: str, key: str, url: str) -> None:
    """Store the incident's ticket at a target."""
    TicketLink.objects.update_or_create(
        incident_id=incident_id, key=key[:255], defaults={"target": target, "url": url[:500]}
    )


def links(incident: Incident) -> list[TicketLink]:
    """Tickets of the incident and the labels by which one may be found, in order of the key."""
    return list(incident.tickets.order_by("key"))


def link_of(target: str, key: str) -> TicketLink | None:
    """The newest link of a ticket at a target, with its incident."""
    return TicketLink.objects.filter(target=target, key=key).select_related("incident").order_by("-pk").first()


def keys_at(target: str, incident_ids: Sequence[str]) -> QuerySet[TicketLink]:
    """Links that may find tickets of these incidents at the target, the oldest first."""
    return TicketLink.objects.filter(incident__pk__in=incident_ids, target__in=["", target]).order_by("pk")


def open_keys(target: str, resolved_since: datetime, most: int) -> list[str]:
    """Keys of tickets whose incidents are open or were resolved since, newest first."""
    alive = Q(incident__state="open") | Q(incident__resolved_at__gte=resolved_since)
    rows = TicketLink.objects.filter(alive, target=target).order_by("-incident__started_at", "-pk")
    return list(rows.values_list("key", flat=True)[:most])
