"""Answers of calls with an `Idempotency-Key`: kept for a day and given again to a repeated call."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from incidents.models import AnsweredCall

KEPT = timedelta(hours=24)
SWEPT_AT_ONCE = 200


def begin(caller: str, key: str, asked: str, now: datetime) -> tuple[AnsweredCall, bool]:
    """The call's row, and whether it is new. Call it inside the transaction that does the work.

    A second call with the same key waits here until the first one's transaction ends, and then finds its answer;
    if that one failed, its row is gone with it and this call is the first.
    """
    _sweep(now)
    AnsweredCall.objects.filter(caller=caller, key=key, at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return AnsweredCall.objects.create(caller=caller, key=key, asked=asked, at=now), True
    except IntegrityError:
        return AnsweredCall.objects.get(caller=caller, key=key), False


def answered(call: AnsweredCall, status: int, body: bytes) -> None:
    """Store the answer, in the same transaction as the work."""
    AnsweredCall.objects.filter(pk=call.pk).update(status=status, body=body)


def _sweep(now: datetime) -> None:
    old = AnsweredCall.objects.filter(at__lt=now - KEPT).order_by("at").values("pk")[:SWEPT_AT_ONCE]
    AnsweredCall.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
