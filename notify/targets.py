"""Targets: which are declared, how each is doing, its circuit breaker and its pace."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from incidents import connections
from incidents.models import Connection
from incidents.queries import understood
from notify.models import Outbox, RequestCount, TargetStatus
from tickets.system import System
from tickets.systems import all_systems

# After so many failures in a row a target is left alone but for one attempt each minute.
FAILURES_TO_OPEN = 5
PROBE_EVERY = timedelta(seconds=60)
# How long one new incident at the beginning of a storm waits for the others.
GATHER = timedelta(seconds=60)
SECTIONS = ("ticket", "chat", "source")


@dataclass(frozen=True, slots=True)
class Target:
    """A declared target with its system; `name` is `<table>:<name>`, as in the outbox."""

    name: str
    system: System
    declared: Any

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be changed there."""
        return bool(self.declared.mode == "dry-run")


def declared_targets() -> dict[str, Target]:
    """All declared targets that a system exists for, by name."""
    rows = connections.of_kinds(SECTIONS)
    found = (_declared_target(row) for row in rows)
    return {one.name: one for one in found if one is not None}


def _declared_target(row: Connection) -> Target | None:
    declared = understood(row)
    if declared is None:
        return None
    system = all_systems().get(declared.kind)
    if system is None or system.section != row.kind or not getattr(declared, "write_back", True):
        return None
    return Target(f"{row.kind}:{row.name}", system, declared)


def take_slot(target: str, every_s: float, now: datetime, *, early: bool = False) -> bool:
    """Takes the target's slot if it is free now; the next is `every_s` seconds later. `early` ignores the breaker."""
    row, _ = TargetStatus.objects.get_or_create(name=target)
    if row.failures >= FAILURES_TO_OPEN and not early:
        return False
    if not every_s:
        return row.slot_at is None or row.slot_at <= now
    free = Q(slot_at__isnull=True) | Q(slot_at__lte=now)
    return bool(TargetStatus.objects.filter(free, name=target).update(slot_at=now + timedelta(seconds=every_s)))


def next_slot_s(now: datetime) -> float:
    """Seconds until the first target with due rows has a slot again; infinite when none waits for its pace."""
    due_now = Outbox.objects.filter(state="waiting", next_at__lte=now).values("target")
    rows = TargetStatus.objects.filter(slot_at__gt=now, failures__lt=FAILURES_TO_OPEN, name__in=due_now)
    soonest = rows.order_by("slot_at").values_list("slot_at", flat=True).first()
    return (soonest - now).total_seconds() if soonest else math.inf


def succeeded(target: str, now: datetime, *, refused: str = "") -> None:
    """The target answered: its breaker closes, and after an outage all its waiting rows are due at once."""
    row, _ = TargetStatus.objects.get_or_create(name=target)
    outcome: dict[str, Any] = {"failed_at": now, "reason": refused[:2000]} if refused else {"succeeded_at": now}
    if row.failures:
        outcome |= {"failures": 0, "open_until": None} | ({} if refused else {"reason": ""})
    TargetStatus.objects.filter(pk=row.pk).update(**outcome)
    if row.failures >= FAILURES_TO_OPEN:
        Outbox.objects.filter(target=target, state="waiting").update(next_at=now, attempts=0)


def failed(target: str, reason: str, now: datetime, wait_s: float = 0.0) -> None:
    """The target did not answer. FAILURES_TO_OPEN in a row open its breaker; `wait_s` holds for all its rows."""
    TargetStatus.objects.get_or_create(name=target)
    wait = timedelta(seconds=wait_s)
    TargetStatus.objects.filter(name=target).update(failures=F("failures") + 1, failed_at=now, reason=reason[:2000])
    open_ = TargetStatus.objects.filter(name=target, failures__gte=FAILURES_TO_OPEN)
    open_.update(open_until=now + max(PROBE_EVERY, wait))
    if wait_s:
        TargetStatus.objects.filter(name=target).update(slot_at=now + wait)


def count_responses(target: str, codes: dict[int, int]) -> None:
    """Adds to the counts of answers."""
    for code, number in sorted(codes.items()):
        rows = RequestCount.objects.filter(target=target, code=code)
        if not rows.update(count=F("count") + number):
            RequestCount.objects.get_or_create(target=target, code=code)
            rows.update(count=F("count") + number)


def next_digest(target: str, every: timedelta, now: datetime, *, alone: bool) -> datetime:
    """When the next digest may go, now or later; going now is noted, so that nobody else sends one too.

    One incident `alone` at the beginning of a storm waits a little for the others.
    """
    row, _ = TargetStatus.objects.get_or_create(name=target)
    begins = row.digest_at is None or row.digest_at <= now - every
    at = now + min(GATHER, every) if begins and alone else now
    free = Q(digest_at__isnull=True) | Q(digest_at__lte=now)
    if TargetStatus.objects.filter(free, name=target).update(digest_at=at if at > now else now + every):
        return at
    return TargetStatus.objects.get(name=target).digest_at or now


def statuses() -> dict[str, TargetStatus]:
    """How each target is doing, by name."""
    return {row.name: row for row in TargetStatus.objects.all()}


def response_counts() -> list[tuple[str, int, int]]:
    """Target, status and how many responses had it since the beginning; status 0 is no response."""
    return list(RequestCount.objects.order_by("target", "code").values_list("target", "code", "count"))
