"""Deletes old raw bodies and recorded answers. Alerts, findings and verdicts are kept for ever.

Deliveries and answers of an incident that is open, or that was resolved within the same time, are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from incidents import login_failures
from incidents.models import Delivery, Incident, Investigation, LoginFailure

# One transaction each: on SQLite the door waits for it.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Keep:
    """How long recorded answers are kept, and how long deliveries and the events of ticket systems are."""

    answers: timedelta
    deliveries: timedelta


def forget(keep: Keep, now: datetime, go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Delete what is older than `keep`, batch by batch while `go_on()` is true; how many rows of each kind."""
    kinds = {
        "answers": lambda: _empty_answers(now - keep.answers),
        "deliveries": lambda: deleted(_deliveries(now - keep.deliveries)),
        "login_failures": lambda: deleted(LoginFailure.objects.filter(at__lt=now - login_failures.KEPT)),
    }
    return {kind: in_batches(batch, go_on) for kind, batch in kinds.items()}


def in_batches(batch: Callable[[], int], go_on: Callable[[], bool]) -> int:
    """Run `batch` while it returns rows and `go_on()` is true; how many rows in all."""
    total = 0
    while go_on() and (number := batch()):
        total += number
    return total


def incident_over(before: datetime) -> Q:
    """Rows whose incident was resolved before this time."""
    return Q(incident__state="resolved", incident__resolved_at__lt=before)


def _empty_answers(before: datetime) -> int:
    """Empty the answers, which take most of an investigation's space; its findings stay."""
    looks = Investigation.objects.filter(incident_over(before), state="done", finished_at__lt=before).exclude(
        answers=b""
    )
    return Investigation.objects.filter(pk__in=_some(looks)).update(answers=b"")


def _deliveries(before: datetime) -> QuerySet[Delivery]:
    """Done deliveries; parked and dead ones are kept until a person decides."""
    needed = Incident.deliveries.through.objects.filter(delivery=OuterRef("pk")).exclude(incident_over(before))
    return Delivery.objects.filter(~Exists(needed), state="done", received_at__lt=before)


def _some(rows: "QuerySet[Any]") -> list[Any]:
    """Keys of one batch, in no order, so that the database need not sort."""
    return list(rows.order_by().values_list("pk", flat=True)[:BATCH])


def deleted(rows: "QuerySet[Any]") -> int:
    """Delete one batch of these rows; how many they were."""
    found = _some(rows)
    rows.model._default_manager.filter(pk__in=found).delete()
    return len(found)
