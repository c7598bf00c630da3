"""The inbox: every delivery from accepted to done, parked or dead. A claim is a conditional update."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BinaryField, F, Q, QuerySet
from django.db.models.functions import Substr
from django.utils import timezone

from incidents import audit
from incidents.models import Delivery, Incident, Source

MAX_ATTEMPTS = 5
BEGINNING_BYTES = 20_000
LEASE = timedelta(seconds=130)


def accept(source: Source, body: bytes, headers: dict[str, str], received_at: datetime) -> Delivery:
    """One durable inbox row."""
    return Delivery.objects.create(source=source, body=body, headers=headers, received_at=received_at)


def claim_deliveries(delivery_ids: Sequence[str]) -> list[Delivery]:
    """Claim those of the deliveries that wait and are not leased, in order of arrival."""
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
        row.source = sources[row.source_id]  # one object for all, so that its cached properties are read once
    return [row for row in mine if not _attempts_used_up(row)]


def _attempts_used_up(delivery: Delivery) -> bool:
    """Whether too many attempts ended without a result; the delivery is then dead.

    A body that kills its worker must not be tried for ever.
    """
    if delivery.attempts <= MAX_ATTEMPTS:
        return False
    fail_delivery(delivery, f"no worker survived it in {MAX_ATTEMPTS} attempts")
    return True


def park(delivery: Delivery, reason: str) -> None:
    """Keep a delivery that cannot be parsed, with the reason, until a person looks at it."""
    Delivery.objects.filter(pk=delivery.pk).update(state="parked", reason=reason[:2000], claimed_until=None)


def replay_delivery(delivery: Delivery, by: str) -> None:
    """Put a parked or dead delivery back into the queue."""
    Delivery.objects.filter(pk=delivery.pk, state__in=["parked", "dead"]).update(
        state="new", reason="", attempts=0, claimed_until=None
    )
    audit.write(by, "replay delivery", str(delivery.pk))


def fail_delivery(delivery: Delivery, reason: str) -> None:
    """Schedule another attempt with back-off, or mark it dead after the last one."""
    state = "dead" if delivery.attempts >= MAX_ATTEMPTS else "new"
    wait = timezone.now() + timedelta(seconds=2**delivery.attempts)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, reason=reason[:2000], claimed_until=None if state == "dead" else wait
    )


def inbox_full(limit: int) -> bool:
    """Whether more than `limit` deliveries wait; counts no further than that."""
    return Delivery.objects.filter(state="new").order_by("received_at")[limit : limit + 1].exists()


def waiting_deliveries(burst: int = 25) -> list[list[str]]:
    """Ids of deliveries without a lease, in bursts. One that was tried before goes alone: it may kill its worker."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=timezone.now())
    rows = Delivery.objects.filter(free, state="new").order_by("received_at").values_list("pk", "attempts")[:500]
    fresh = [str(pk) for pk, attempts in rows if not attempts]
    return [fresh[at : at + burst] for at in range(0, len(fresh), burst)] + [[str(pk)] for pk, n in rows if n]


def stuck_deliveries() -> QuerySet[Delivery]:
    """Parked and dead deliveries without their bodies, newest first."""
    rows = Delivery.objects.filter(state__in=["parked", "dead"]).select_related("source").defer("body")
    return rows.order_by("-received_at")


def deliveries_of(row: Incident) -> QuerySet[Delivery]:
    """The deliveries that brought the incident's alerts, without their bodies, newest first."""
    return row.deliveries.select_related("source").defer("body").order_by("-received_at")


def with_beginnings(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """The deliveries with the first bytes of each body as `beginning`."""
    return rows.annotate(beginning=Substr("body", 1, BEGINNING_BYTES, output_field=BinaryField()))


def incident_of_delivery(delivery: Delivery) -> Incident | None:
    """The newest incident that the delivery had alerts of."""
    return delivery.incidents.order_by("-started_at").first()


def stuck_delivery(ids: Sequence[str]) -> Delivery | None:
    """One of the deliveries that is parked or dead."""
    return Delivery.objects.filter(pk__in=ids, state__in=["parked", "dead"]).first()


def all_done(ids: Sequence[str]) -> bool:
    """Whether all these deliveries are in the record."""
    return not Delivery.objects.filter(pk__in=ids).exclude(state="done").exists()


def raw_deliveries(row: Incident) -> list[Delivery]:
    """The deliveries that brought the incident's alerts, with their bodies, in order of arrival.

    A delivery that mixes incidents is kept whole: Alertmanager groups as it likes.
    """
    return list(row.deliveries.select_related("source").order_by("received_at", "pk"))
