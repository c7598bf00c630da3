"""Who follows a cluster: one row each, taken for a while by a conditional update, and fenced when something is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from domain.errors import ProductError, Refused
from incidents import deliveries, sources
from incidents.models import Delivery, Source, WatchLease

KIND = "kubernetes"
HELD = timedelta(seconds=30)


class NotHeld(ProductError):
    """Another process follows this cluster now; nothing was written."""


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """How one cluster's watcher is doing. `lag_s` is since the API last said anything, None before it ever did."""

    name: str
    led: bool
    lag_s: float | None
    error: str


def take(name: str, holder: str, now: datetime) -> bytes | None:
    """Follow this cluster from now on, if nobody else does; the state that was reported and is not over."""
    WatchLease.objects.get_or_create(name=name)
    free = Q(held_until__isnull=True) | Q(held_until__lt=now) | Q(holder=holder)
    won = WatchLease.objects.filter(free, name=name).update(holder=holder, held_until=now + HELD)
    return bytes(WatchLease.objects.get(name=name).state) if won else None


def renew(name: str, holder: str, now: datetime, observed_at: datetime | None, error: str) -> None:
    """Still here. Raises NotHeld when the row was taken meanwhile."""
    mine = WatchLease.objects.filter(name=name, holder=holder, held_until__gte=now)
    told = {"observed_at": observed_at} if observed_at else {}
    if not mine.update(held_until=now + HELD, error=error[:2000], **told):
        raise NotHeld(f"{name} is followed by another watcher")


def release(name: str, holder: str) -> None:
    """Let another one follow it at once."""
    WatchLease.objects.filter(name=name, holder=holder).update(holder="", held_until=None)


def report(name: str, holder: str, bodies: Sequence[bytes], state: bytes, now: datetime) -> list[Delivery]:
    """The messages as deliveries together with what is told by them: both, or none. Raises NotHeld."""
    with transaction.atomic():
        # The update holds the row until the end: whoever takes it over comes after these deliveries.
        if not WatchLease.objects.filter(name=name, holder=holder, held_until__gte=now).update(state=state):
            raise NotHeld(f"{name} is followed by another watcher")
        source = own_source(name)
        return [deliveries.accept(source, body, {}, now) for body in bodies]


def own_source(name: str) -> Source:
    """The source of a declared cluster. Its token is known to nobody, so its door is shut until it is rotated."""
    found = Source.objects.filter(kind=KIND, name=name).first()
    if found is not None:
        return found
    try:
        return sources.make_source(KIND, name)[0]
    except Refused:  # another process made it just now
        return Source.objects.get(kind=KIND, name=name)


def leases(now: datetime) -> list[LeaseStatus]:
    """Every cluster that was ever followed, by name."""
    return [
        LeaseStatus(
            row.name, bool(row.held_until and row.held_until >= now),
            max(0.0, (now - row.observed_at).total_seconds()) if row.observed_at else None, row.error,
        )
        for row in WatchLease.objects.order_by("name")
    ]  # fmt: skip
