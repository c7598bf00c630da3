"""Leases on watched clusters: one row each, taken by a conditional update and checked again with every report."""

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
    """Another process holds the lease of this cluster; nothing was written."""


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """One cluster's lease. `lag_s` is seconds since the API's last answer, None before the first one."""

    name: str
    led: bool
    lag_s: float | None
    error: str


def take(name: str, holder: str, now: datetime) -> bytes | None:
    """Take the lease of this cluster; the dump of what was reported and is not resolved, None if another holds it."""
    WatchLease.objects.get_or_create(name=name)
    free = Q(held_until__isnull=True) | Q(held_until__lt=now) | Q(holder=holder)
    won = WatchLease.objects.filter(free, name=name).update(holder=holder, held_until=now + HELD)
    return bytes(WatchLease.objects.get(name=name).state) if won else None


def renew(name: str, holder: str, now: datetime, observed_at: datetime | None, error: str) -> None:
    """Extend the lease and store how the watcher is doing. Raises NotHeld when another one took it."""
    mine = WatchLease.objects.filter(name=name, holder=holder, held_until__gte=now)
    observed = {"observed_at": observed_at} if observed_at else {}
    if not mine.update(held_until=now + HELD, error=error[:2000], **observed):
        raise NotHeld(f"{name} is followed by another watcher")


def release(name: str, holder: str) -> None:
    """Give the lease back, so that another watcher can take it at once."""
    WatchLease.objects.filter(name=name, holder=holder).update(holder="", held_until=None)


def report(name: str, holder: str, bodies: Sequence[bytes], state: bytes, now: datetime) -> list[Delivery]:
    """Store the messages as deliveries, and the dump of what was reported: both, or none. Raises NotHeld."""
    with transaction.atomic():
        # The update locks the row until the end: the next holder of the lease comes after these deliveries.
        if not WatchLease.objects.filter(name=name, holder=holder, held_until__gte=now).update(state=state):
            raise NotHeld(f"{name} is followed by another watcher")
        source = own_source(name)
        return [deliveries.accept(source, body, {}, now) for body in bodies]


def own_source(name: str) -> Source:
    """The source of a declared cluster. Nobody knows its token, so its door accepts nothing until that is rotated."""
    found = Source.objects.filter(kind=KIND, name=name).first()
    if found is not None:
        return found
    try:
        return sources.make_source(KIND, name)[0]
    except Refused:  # another process made it just now
        return Source.objects.get(kind=KIND, name=name)


def leases(now: datetime) -> list[LeaseStatus]:
    """The lease of every cluster that was ever watched, by name."""
    return [
        LeaseStatus(
            row.name, bool(row.held_until and row.held_until >= now),
            max(0.0, (now - row.observed_at).total_seconds()) if row.observed_at else None, row.error,
        )
        for row in WatchLease.objects.order_by("name")
    ]  # fmt: skip
