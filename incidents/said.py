"""What people did at a told target: the inbox of webhooks, and each event into the record exactly once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from causes.catalogue import all_causes
from incidents import outbox, record
from incidents.models import Heard, Incident, SaidEvent, Target, TicketLink
from incidents.place import settle
from tickets.system import Said

STATE_VERBS = ("resolved", "reopened")
KEEP_ASKING = timedelta(days=7)
KEYS_MOST = 500
OVERLAP = timedelta(minutes=2)


def accept(target: str, body: bytes, headers: dict[str, str], received_at: datetime) -> Heard:
    """One durable row."""
    return Heard.objects.create(target=target, body=body, headers=headers, received_at=received_at)


def waiting(now: datetime) -> list[str]:
    """Ids of webhooks that nobody works on."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    rows = Heard.objects.filter(free, state="new").order_by("received_at")
    return [str(pk) for pk in rows.values_list("pk", flat=True)[:200]]


def claim(heard_id: str) -> Heard | None:
    """The webhook, if it waits and nobody else has it."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    won = Heard.objects.filter(free, pk=heard_id, state="new").update(
        claimed_until=now + record.LEASE, attempts=F("attempts") + 1
    )
    if not won:
        return None
    row = Heard.objects.get(pk=heard_id)
    if row.attempts > record.MAX_ATTEMPTS:
        settle_heard(row, "dead", f"no worker survived it in {record.MAX_ATTEMPTS} attempts")
        return None
    return row


def settle_heard(row: Heard, state: str, reason: str = "") -> None:
    """Done, parked or dead."""
    Heard.objects.filter(pk=row.pk).update(state=state, reason=reason[:2000], claimed_until=None)
    Target.objects.get_or_create(name=row.target)
    if state == "done":
        Target.objects.filter(name=row.target).update(heard_at=row.received_at)


def try_later(row: Heard, reason: str) -> None:
    """Another attempt after a growing wait, or dead after the last."""
    if row.attempts >= record.MAX_ATTEMPTS:
        settle_heard(row, "dead", reason)
        return
    wait = timezone.now() + timedelta(seconds=2**row.attempts)
    Heard.objects.filter(pk=row.pk).update(claimed_until=wait, reason=reason[:2000])


def open_keys(target: str, now: datetime) -> list[str]:
    """Keys of tickets whose incidents are open or were resolved a short while ago, newest first."""
    alive = Q(incident__state="open") | Q(incident__resolved_at__gte=now - KEEP_ASKING)
    links = TicketLink.objects.filter(alive, target=target).order_by("-incident__started_at", "-pk")
    return list(links.values_list("key", flat=True)[:KEYS_MOST])


def take_poll(target: str, every_s: int, now: datetime) -> datetime | None:
    """Since when to ask the target, if it is time and nobody else asks; None otherwise."""
    row, _ = Target.objects.get_or_create(name=target)
    free = Q(polled_at__isnull=True) | Q(polled_at__lte=now - timedelta(seconds=every_s))
    if not Target.objects.filter(free, name=target).update(polled_at=now):
        return None
    # An overlap: clocks differ, and what was said twice is applied once.
    return (row.polled_at or now - timedelta(days=1)) - OVERLAP


def poll_failed(target: str, since: datetime) -> None:
    """The same time is asked about again."""
    Target.objects.filter(name=target).update(polled_at=since + OVERLAP)


def apply(target: str, said: Said) -> bool:
    """One event into the record; False when it is known already, too old, or of a ticket that is not ours."""
    link = TicketLink.objects.filter(target=target, key=said.key).select_related("incident").order_by("-pk").first()
    if link is None or said.verb not in _VERBS:
        return False
    with transaction.atomic():
        incident = Incident.objects.select_for_update().get(pk=link.incident_id)
        _, new = SaidEvent.objects.get_or_create(
            target=target, marker=said.marker[:200],
            defaults={"incident": incident, "verb": said.verb, "by": said.by[:150], "at": said.at,
                      "value": said.value[:200]},
        )  # fmt: skip
        if not new or _overtaken(incident, said) or not _VERBS[said.verb](incident, said):
            return False
        record.audit(said.by, f"{said.verb} at {target}", str(incident.pk), {"ticket": said.key, "note": said.note})
        return True


def _overtaken(incident: Incident, said: Said) -> bool:
    """Whether a later word on the incident's state is known already."""
    later = SaidEvent.objects.filter(incident=incident, verb__in=STATE_VERBS, at__gt=said.at)
    return said.verb in STATE_VERBS and later.exists()


def _acknowledged(incident: Incident, said: Said) -> bool:
    record.acknowledge(incident, said.by)
    return incident.acknowledged_at is None


def _assigned(incident: Incident, said: Said) -> bool:
    if not said.value or incident.assigned_to == said.value[:150]:
        return False
    Incident.objects.filter(pk=incident.pk).update(assigned_to=said.value[:150])
    record.acknowledge(incident, said.value)
    outbox.want_all(incident, timezone.now())
    return True


def _resolved(incident: Incident, said: Said) -> bool:
    """Alerts that still fire do not hold it open any more; one that started later does."""
    if incident.state == "resolved":
        return False
    Incident.objects.filter(pk=incident.pk).update(closed_at=said.at)
    if not settle(incident):
        return False
    outbox.tell_and_remember(incident, timezone.now())
    return True


def _reopened(incident: Incident, said: Said) -> bool:
    """Open until its alerts or its ticket say otherwise."""
    del said
    won = Incident.objects.filter(pk=incident.pk, state="resolved").update(
        state="open", resolved_at=None, closed_at=None, reopened=F("reopened") + 1
    )
    if won:
        outbox.tell_and_remember(incident, timezone.now())
    return bool(won)


def _cause(incident: Incident, said: Said) -> bool:
    """A judgement of the cause, where the catalogue knows it."""
    if said.value not in all_causes():
        detail = {"cause": said.value[:200], "ticket": said.key}
        record.audit(said.by, "unknown cause named in a ticket", str(incident.pk), detail)
        return False
    kind = "confirmed" if said.value == incident.first_cause else "corrected"
    record.give_feedback(incident, said.by, kind, said.value, note=said.note)
    return True


_VERBS: dict[str, Callable[[Incident, Said], bool]] = {
    "acknowledged": _acknowledged,
    "assigned": _assigned,
    "resolved": _resolved,
    "reopened": _reopened,
    "cause": _cause,
}
