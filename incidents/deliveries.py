"""The inbox: every delivery from accepted to done, parked or dead. Claims are conditional updates."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from incidents import audit
from incidents.models import (
    Delivery,
    Source,
)

MAX_ATTEMPTS = 5
LEASE = timedelta(seconds=130)


def accept(source: Source, body: bytes, headers: dict[str, str], received_at: datetime) -> Delivery:
    """One durable inbox row."""
    return Delivery.objects.create(source=source, body=body, headers=headers, received_at=received_at)


def claim_deliveries(delivery_ids: Sequence[str]) -> list[Delivery]:
    """Those of the deliveries that wait and that nobody else has, in the order of their arrival."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    with transaction.atomic():
        waiting = Delivery.objects.select_for_update(of=("self",)).filter(free, pk__in=delivery_ids, state="new")
        mine = list(waiting.select_related("source").order_by("received_at", "pk"))
        Delivery.objects.filter(pk__in=[row.pk for row in mine]).update(
            claimed_until=now + LEASE, attempts=F("attempts") + 1
        )
    sources = {row.source_id: row.source for row in mine}
    for row in mine:
        row.claimed_until, row.attempts = now + LEASE, row.attempts + 1
        row.source = sources[row.source_id]  # what one of them has looked up the others know too
    return [row for row in mine if not _worn_out(row)]


def _worn_out(delivery: Delivery) -> bool:
    """Whoever tried before never reported back: a body that kills its worker must not be tried for ever."""
    if delivery.attempts <= MAX_ATTEMPTS:
        return False
    fail_delivery(delivery, f"no worker survived it in {MAX_ATTEMPTS} attempts")
    return True


def park(delivery: Delivery, reason: str) -> None:
    """Keep what cannot be understood, with the reason, for a person to look at."""
    Delivery.objects.filter(pk=delivery.pk).update(state="parked", reason=reason[:2000], claimed_until=None)


def replay_delivery(delivery: Delivery, by: str) -> None:
    """Put a parked or dead delivery back into the queue."""
    Delivery.objects.filter(pk=delivery.pk, state__in=["parked", "dead"]).update(
        state="new", reason="", attempts=0, claimed_until=None
    )
    audit.write(by, "replay delivery", str(delivery.pk))


def fail_delivery(delivery: Delivery, reason: str) -> None:
    """Another attempt later, or dead after the last."""
    state = "dead" if delivery.attempts >= MAX_ATTEMPTS else "new"
    wait = timezone.now() + timedelta(seconds=2**delivery.attempts)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, reason=reason[:2000], claimed_until=None if state == "dead" else wait
    )
