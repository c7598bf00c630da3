"""What is forgotten after a while: raw bodies and recorded answers. Alerts, findings and verdicts stay for ever.

Nothing goes that an open incident, or one that was resolved within the same time, came from or was judged by.
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
    """How long: recorded answers, and deliveries together with what ticket systems said."""

    answers: timedelta
    deliveries: timedelta


def forget(keep: Keep, now: datetime, go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """How many of each kind were forgotten, batch by batch while `go_on` allows; what is left is for the next time."""
    kinds = {
        "answers": lambda: _empty_answers(now - keep.answers),
        "deliveries": lambda: deleted(_deliveries(now - keep.deliveries)),
        "login_failures": lambda: deleted(LoginFailure.objects.filter(at__lt=now - login_failures.KEPT)),
    }
    return {kind: in_batches(batch, go_on) for kind, batch in kinds.items()}


def in_batches(batch: Callable[[], int], go_on: Callable[[], bool]) -> int:
    """Batch by batch while `go_on` allows; how many rows in all."""
    total = 0
    while go_on() and (number := batch()):
        total += number
    return total


def incident_over(before: datetime) -> Q:
    """Whose incident was over by then."""
    return Q(incident__state="resolved", incident__resolved_at__lt=before)


def _empty_answers(before: datetime) -> int:
    """Answers are the bulk of a look; what was found in them stays."""
    looks = Investigation.objects.filter(incident_over(before), state="done", finished_at__lt=before).exclude(
        answers=b""
    )
    return Investigation.objects.filter(pk__in=_some(looks)).update(answers=b"")


def _deliveries(before: datetime) -> QuerySet[Delivery]:
    """Done ones; parked and dead ones wait for a person, however long."""
    needed = Incident.deliveries.through.objects.filter(delivery=OuterRef("pk")).exclude(incident_over(before))
    return Delivery.objects.filter(~Exists(needed), state="done", received_at__lt=before)


def _some(rows: "QuerySet[Any]") -> list[Any]:
    """In no order: whichever index finds them, nothing is sorted."""
    return list(rows.order_by().values_list("pk", flat=True)[:BATCH])


def deleted(rows: "QuerySet[Any]") -> int:
    """One batch of these rows is deleted; how many."""
    found = _some(rows)
    rows.model._default_manager.filter(pk__in=found).delete()
    return len(found)
