"""Celery tasks of investigations: look at one incident, and bring it into the graph."""

from celery import shared_task

from incidents import graph_queue, queries
from incidents.nudge import nudge, nudge_when_due
from investigate import run
from investigate.remember import remember_waiting


@shared_task
def investigate_incident(investigation_id: int) -> None:
    """Collect, rank, ask for the graph to remember; what was asked for meanwhile comes next."""
    if incident_id := run.investigate(investigation_id):
        nudge("remember")
        nudge("notify")
        nudge_when_due("investigate", queries.waiting_investigation(incident_id))


@shared_task
def remember(_: str = "") -> None:
    """Everything that waits for the graph, in one batch: one writer at a time."""
    remember_waiting()


@shared_task
def sweep() -> None:
    """Pick up investigations that are due, and what waits for the graph."""
    for investigation_id in queries.due_investigations():
        nudge("investigate", investigation_id)
    if graph_queue.due():
        nudge("remember")
