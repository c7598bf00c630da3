"""The queue of the graph: one row for each incident that it has to learn or learn anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Min
from django.utils import timezone

from incidents.models import GraphQueue

# The graph may be away for long: after a failure the wait doubles up to this.
LONGEST_WAIT_S = 300
DUE_MOST = 200


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the graph is behind; `oldest` is since when the longest waiting row waits, None when none does."""

    waiting: int
    oldest: datetime | None


def put(incident_ids: Sequence[str], now: datetime) -> None:
    """Newer revisions of these incidents, to be tried at once, however long the graph was away."""
    with transaction.atomic(savepoint=False):
        rows = [GraphQueue(incident_id=pk, revision=0, wanted_at=now, next_at=now) for pk in incident_ids]
        GraphQueue.objects.bulk_create(rows, ignore_conflicts=True)
        GraphQueue.objects.filter(incident_id__in=incident_ids).update(
            revision=F("revision") + 1, next_at=now, attempts=0, reason=""
        )


def due() -> list[GraphQueue]:
    """Rows whose time has come, in order of arrival, at most `DUE_MOST`."""
    return list(GraphQueue.objects.filter(next_at__lte=timezone.now()).order_by("pk")[:DUE_MOST])


def backlog() -> Backlog:
    """What waits, due or not."""
    return Backlog(**GraphQueue.objects.aggregate(waiting=Count("pk"), oldest=Min("wanted_at")))


def finish(rows: Sequence[GraphQueue]) -> None:
    """These revisions are in the graph; a revision that came meanwhile keeps its row."""
    for row in rows:
        GraphQueue.objects.filter(pk=row.pk, revision=row.revision).delete()


def back_off(rows: Sequence[GraphQueue], reason: str) -> None:
    """Again later, for ever: nothing is lost while the graph is away."""
    for row in rows:
        wait = timedelta(seconds=min(LONGEST_WAIT_S, 2 ** min(row.attempts + 1, 9)))
        GraphQueue.objects.filter(pk=row.pk, revision=row.revision).update(
            attempts=F("attempts") + 1, next_at=timezone.now() + wait, reason=reason[:2000]
        )
