"""The queue of the graph: one row for each incident that must be written to the graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min
from django.utils import timezone

from incidents.models import GraphQueue

# The graph may be away for long: after a failure the wait doubles up to this.
LONGEST_WAIT_S = 300
DUE_MOST = 200


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many rows wait, and since when the oldest of them does; None when none waits."""

    waiting: int
    oldest: datetime | None


def put(incident_ids: Sequence[str], now: datetime) -> None:
    """Queue newer revisions of these incidents; they are due at once, whatever the back-off was.

    One statement inserts or renews: a row that `finish` removes at the same moment is inserted anew, never lost.
    """
    rows = [GraphQueue(incident_id=pk, wanted_at=now, next_at=now) for pk in dict.fromkeys(incident_ids)]
    GraphQueue.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["incident"],
        update_fields=["revision", "next_at", "attempts", "reason"],
    )  # fmt: skip


def due() -> list[GraphQueue]:
    """Rows whose time has come, in order of arrival, at most `DUE_MOST`."""
    return list(GraphQueue.objects.filter(next_at__lte=timezone.now()).order_by("pk")[:DUE_MOST])


def waits() -> bool:
    """Whether a row is due."""
    return GraphQueue.objects.filter(next_at__lte=timezone.now()).exists()


def backlog() -> Backlog:
    """The rows that wait, due or not."""
    return Backlog(**GraphQueue.objects.aggregate(waiting=Count("pk"), oldest=Min("wanted_at")))


def finish(rows: Sequence[GraphQueue]) -> None:
    """Remove rows whose revisions are in the graph; a row that got a newer revision stays."""
    for row in rows:
        GraphQueue.objects.filter(pk=row.pk, revision=row.revision).delete()


def back_off(rows: Sequence[GraphQueue], reason: str) -> None:
    """Schedule another attempt; there is no last one, so nothing is lost while the graph is away."""
    for row in rows:
        wait = timedelta(seconds=min(LONGEST_WAIT_S, 2 ** min(row.attempts + 1, 9)))
        GraphQueue.objects.filter(pk=row.pk, revision=row.revision).update(
            attempts=F("attempts") + 1, next_at=timezone.now() + wait, reason=reason[:2000]
        )
