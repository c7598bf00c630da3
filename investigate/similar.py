"""Asks the graph for similar past incidents; while it is away a verdict does without them."""

from dataclasses import replace
from functools import cache

import structlog
from django.conf import settings

from causes.catalogue import all_causes
from causes.questions import questions
from domain.errors import ProductError
from domain.findings import Finding
from domain.similar import SimilarIncident
from domain.text import Text
from graph.store import GraphStore, open_graph
from incidents import queries
from incidents.models import Incident

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
    """How a reason names a cause or a measure, by slug: by its title, or by the question that it answers."""
    named = {cause.slug: cause.title for cause in all_causes().values()} | questions()
    return {slug: Text("“{text}”", text=text) for slug, text in named.items()}


def similar(incident: Incident, findings: tuple[Finding, ...]) -> tuple[SimilarIncident, ...]:
    """Similar past incidents; none while the graph cannot be asked."""
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
