"""Writes queued incidents to the graph in batches; while the graph is away they stay queued."""

import structlog

from domain.errors import ProductError
from incidents import graph_queue, queries
from incidents.models import GraphQueue
from investigate.similar import graph

BATCH = 100
log = structlog.get_logger()


def remember_waiting() -> int:
    """Write everything that is due in the graph's queue; how many incidents were written."""
    rows = graph_queue.due()
    return sum(_remember(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH))


def _remember(rows: list[GraphQueue]) -> int:
    try:
        store = graph()
        if store is None:
            return 0
        store.remember(queries.snapshots([str(row.incident_id) for row in rows]))
    except ProductError as error:
        _back_off(rows, str(error))
        return 0
    except Exception as error:  # outermost level of a task: any error backs off, so the queue never stops
        if len(rows) > 1:  # one that cannot be remembered must not hold up the others
            return sum(_remember([row]) for row in rows)
        log.exception("remembering_failed", incident=str(rows[0].incident_id))
        _back_off(rows, str(error))
        return 0
    graph_queue.finish(rows)
    return len(rows)


def _back_off(rows: list[GraphQueue], reason: str) -> None:
    log.warning("graph_unavailable", waiting=len(rows), error=reason)
    graph_queue.back_off(rows, reason)
