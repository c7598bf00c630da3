"""Ticket events: the inbox of webhooks, and each event applied to the record exactly once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from causes.catalogue import all_causes
from incidents import audit, deliveries, feedback, lifecycle, queries, tickets
from incidents.models import Incident
from notify.models import AppliedTicketEvent, InboundWebhook, TargetStatus
from tickets.system import TicketEvent

STATE_VERBS = ("resolved", "reopened")
KEEP_ASKING = timedelta(days=7)
KEYS_MOST = 500
OVERLAP = timedelta(minutes=2)


def accept(target: str, body: bytes, headers: dict[str, str], received_at: datetime) -> InboundWebhook:
    """One durable row."""
    return InboundWebhook.objects.create(target=target, body=body, headers=headers, received_at=received_at)


def waiting(now: datetime) -> list[str]:
    """Ids of webhooks that nobody works on."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    rows = InboundWebhook.objects.filter(free, state="new").order_by("received_at")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:200]]


def claim(webhook_id: str) -> InboundWebhook | None:
    """The webhook, if it waits and nobody else has it."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    won = InboundWebhook.objects.filter(free, pk=webhook_id, state="new").update(
        claimed_until=now + deliveries.LEASE, attempts=F("attempts") + 1
    )
    if not won:
        return None
    row = InboundWebhook.objects.get(pk=webhook_id)
    if row.attempts > deliveries.MAX_ATTEMPTS:
        finish_webhook(row, "dead", f"no worker survived it in {deliveries.MAX_ATTEMPTS} attempts")
        return None
    return row


def finish_webhook(row: InboundWebhook, state: str, reason: str = "") -> None:
    """Done, parked or dead."""
    InboundWebhook.objects.filter(pk=row.pk).update(state=state, reason=reason[:2000], claimed_until=None)
    TargetStatus.objects.get_or_create(name=row.target)
    if state == "done":
        TargetStatus.objects.filter(name=row.target).update(event_at=row.received_at)


def try_later(row: InboundWebhook, reason: str) -> None:
    """Another attempt after a growing wait, or dead after the last."""
    if row.attempts >= deliveries.MAX_ATTEMPTS:
        finish_webhook(row, "dead", reason)
        return
    wait = timezone.now() + timedelta(seconds=2**row.attempts)
    InboundWebhook.objects.filter(pk=row.pk).update(claimed_until=wait, reason=reason[:2000])


def open_keys(target: str, now: datetime) -> list[str]:
    """Keys of tickets whose incidents are open or were resolved a short while ago, newest first."""
    return tickets.open_keys(target, now - KEEP_ASKING, KEYS_MOST)


def take_poll(target: str, every_s: int, now: datetime) -> datetime | None:
    """Since when to ask the target, if it is time and nobody else asks; None otherwise."""
    row, _ = TargetStatus.objects.get_or_create(name=target)
    free = Q(polled_at__isnull=True) | Q(polled_at__lte=now - timedelta(seconds=every_s))
    if not TargetStatus.objects.filter(free, name=target).update(polled_at=now):
        return None
    # An overlap: clocks differ, and an event that comes twice is applied once.
    return (row.polled_at or now - timedelta(days=1)) - OVERLAP


def poll_failed(target: str, since: datetime) -> None:
    """The next poll asks about the same time again."""
    TargetStatus.objects.filter(name=target).update(polled_at=since + OVERLAP)


def apply(target: str, event: TicketEvent) -> bool:
    """Applies one event. False when it is known already, outdated, without effect, or of a ticket that is not ours.

    What people do in the ticket of a merged incident counts for the incident that it became part of; but whether that
    is over is not said by the other one's ticket.
    """
    link = tickets.link_of(target, event.key)
    if link is None or event.verb not in _VERBS:
        return False
    with transaction.atomic():
        incident = lifecycle.locked(str(link.incident_id))
        _, new = AppliedTicketEvent.objects.get_or_create(
            target=target, marker=event.marker[:200],
            defaults={"incident": incident, "verb": event.verb, "by": event.by[:150], "at": event.at,
                      "value": event.value[:200]},
        )  # fmt: skip
        if not new or _is_outdated(incident, event) or (incident.merged_into_id and event.verb in STATE_VERBS):
            return False
        incident = queries.survivor(incident)
        if not _VERBS[event.verb](incident, event):
            return False
        audit.write(event.by, f"{event.verb} at {target}", str(incident.pk), {"ticket": event.key, "note": event.note})
        return True


def _is_outdated(incident: Incident, event: TicketEvent) -> bool:
    """Whether a later event has set the incident's state already."""
    later = AppliedTicketEvent.objects.filter(incident=incident, verb__in=STATE_VERBS, at__gt=event.at)
    return event.verb in STATE_VERBS and later.exists()


def _apply_acknowledged(incident: Incident, event: TicketEvent) -> bool:
    lifecycle.acknowledge(incident, event.by)
    return incident.acknowledged_at is None


def _apply_assigned(incident: Incident, event: TicketEvent) -> bool:
    return lifecycle.assign(incident, event.value)


def _apply_resolved(incident: Incident, event: TicketEvent) -> bool:
    return lifecycle.close(incident, event.at)


def _apply_reopened(incident: Incident, event: TicketEvent) -> bool:
    del event
    return lifecycle.reopen(incident)


def _apply_cause(incident: Incident, event: TicketEvent) -> bool:
    """Feedback on the cause, if the catalogue knows it."""
    if event.value not in all_causes():
        detail = {"cause": event.value[:200], "ticket": event.key}
        audit.write(event.by, "unknown cause named in a ticket", str(incident.pk), detail)
        return False
    kind = "confirmed" if event.value == incident.first_cause else "corrected"
    feedback.add(incident, event.by, kind, event.value, note=event.note)
    return True


_VERBS: dict[str, Callable[[Incident, TicketEvent], bool]] = {
    "acknowledged": _apply_acknowledged,
    "assigned": _apply_assigned,
    "resolved": _apply_resolved,
    "reopened": _apply_reopened,
    "cause": _apply_cause,
}
