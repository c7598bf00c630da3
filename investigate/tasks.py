"""Celery tasks of investigations: investigate one incident, and write incidents to the graph."""

from celery import shared_task

from incidents import graph_queue, investigations
from incidents.nudge import nudge, nudge_when_due
from investigate import run
from investigate.remember import remember_waiting


@shared_task
def investigate_incident(investigation_id: int) -> None:
    """Investigate the most urgent that waits, then start the tasks that follow, and the next one of the incident."""
    if incident_id := run.investigate(investigation_id):
        nudge("remember")
        nudge("notify")
        nudge_when_due("investigate", investigations.waiting_investigation(incident_id))


@shared_task
def remember(_: str = "") -> None:
    """Write everything that is queued for the graph."""
    remember_waiting()


@shared_task
def sweep() -> None:
    """Start investigations that are due, and the writing of what is queued for the graph."""
    for investigation_id in investigations.due_investigations():
        nudge("investigate", investigation_id)
    if graph_queue.waits():
        nudge("remember")
