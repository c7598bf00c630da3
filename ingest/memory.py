"""The graph as the pipeline uses it: bring in what waits, ask for similar incidents, do without it when down."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from causes.catalogue import all_causes
from causes.questions import questions
from domain.errors import ProductError
from domain.findings import Finding
from domain.similar import SimilarIncident
from domain.text import Text
from graph.store import GraphStore, open_graph
from incidents import queries
from incidents.models import Incident, Outbox

BATCH = 100
MAX_WAIT_S = 300
log = structlog.get_logger()


@cache
def graph() -> GraphStore | None:
    """The one connection of this process; None where no graph is configured."""
    if not settings.GRAPH_URI:
        return None
    store = open_graph(settings.GRAPH_URI, settings.GRAPH_USER, settings.GRAPH_PASSWORD)
    store.ensure_schema()
    return store


@cache
def _words() -> dict[str, Text]:
    """What a reason calls a cause and a measure: its title, and the question that it answers."""
    named = {cause.slug: cause.title for cause in all_causes().values()} | questions()
    return {slug: Text(f"“{text.en}”", f"“{text.zh}”") for slug, text in named.items()}


def similar(incident: Incident, findings: tuple[Finding, ...]) -> tuple[SimilarIncident, ...]:
    """Similar past incidents; none while the graph cannot be asked, which costs history and not the verdict."""
    try:
        store = graph()
        if store is None:
            return ()
        return store.similar(
            replace(queries.snapshot(str(incident.pk), with_findings=False), findings=findings), words=_words()
        )
    except ProductError as error:
        log.warning("graph_unavailable", error=str(error))
        return ()


def remember_waiting() -> int:
    """Everything that waits in the outbox into the graph, in batches; how many incidents."""
    rows = queries.due_outbox("graph")
    done = 0
    for start in range(0, len(rows), BATCH):
        done += _remember(rows[start : start + BATCH])
    return done


def _remember(rows: list[Outbox]) -> int:
    try:
        store = graph()
        if store is None:
            return 0
        store.remember(queries.snapshots([row.object for row in rows]))
    except ProductError as error:
        _again_later(rows, str(error))
        return 0
    except Exception as error:  # the border of a task
        if len(rows) > 1:  # one that cannot be remembered must not hold up the others
            return sum(_remember([row]) for row in rows)
        log.exception("remembering_failed", incident=rows[0].object)
        _again_later(rows, str(error))
        return 0
    for row in rows:
        # A revision that came meanwhile keeps the row waiting.
        Outbox.objects.filter(pk=row.pk, revision=row.revision).update(state="done", attempts=0, reason="")
    return len(rows)


def _again_later(rows: list[Outbox], reason: str) -> None:
    """The graph may be away for long and nothing is lost: wait longer each time, up to five minutes, for ever."""
    log.warning("graph_unavailable", waiting=len(rows), error=reason)
    for row in rows:
        wait = timedelta(seconds=min(MAX_WAIT_S, 2 ** min(row.attempts + 1, 9)))
        Outbox.objects.filter(pk=row.pk, revision=row.revision).update(
            attempts=F("attempts") + 1, next_at=timezone.now() + wait, reason=reason[:2000]
        )
