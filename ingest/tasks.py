"""Celery tasks of the inbox: parse deliveries, fetch missed events, delete old rows."""

import os
import queue
import threading
import time
from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from incidents import deliveries, investigations, retention
from incidents.nudge import broker_rest, nudge, nudge_when_due
from ingest import catch_up, inventory, parse

BURST_S = 0.01
# One transaction holds a burst, and the door waits for it on SQLite.
BURST_MOST = 25
# Well below the time limit of a task.
FORGETTING_S = 45.0
log = structlog.get_logger()


class _Publisher:
    """A thread that publishes tasks, so that no sender waits for the broker; started again after a fork."""

    def __init__(self) -> None:
        self._pid = 0
        self._accepted: queue.SimpleQueue[str] = queue.SimpleQueue()

    def put(self, delivery_id: str) -> None:
        """Publish one committed delivery."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._publish, name="nudge", daemon=True).start()
        self._accepted.put(delivery_id)

    def _publish(self) -> None:
        """Publish the first delivery at once, and those that come shortly after it in one message."""
        while True:
            ids = [self._accepted.get()]
            while len(ids) < BURST_MOST and not self._accepted.empty():
                ids.append(self._accepted.get())
            if not broker_rest.lasts:
                nudge("ingest", ids)
            time.sleep(BURST_S)


_publisher = _Publisher()


def nudge_delivery(delivery_id: str) -> None:
    """Start the task for a new delivery once it is committed."""
    transaction.on_commit(lambda: _publisher.put(delivery_id))


@shared_task
def ingest_deliveries(delivery_ids: list[str]) -> None:
    """Parse a burst of deliveries into the record."""
    for incident_id in parse.ingest(delivery_ids):
        nudge_when_due("investigate", investigations.waiting_investigation(incident_id))


@shared_task
def sweep() -> None:
    """Start tasks for deliveries that wait: after a lost message, a killed worker or a back-off."""
    for burst in deliveries.waiting_deliveries(BURST_MOST):
        nudge("ingest", burst)


@shared_task
def compare() -> None:
    """Fetch events that a source could not send during an outage."""
    ids = catch_up.catch_up(timezone.now())
    for start in range(0, len(ids), BURST_MOST):
        nudge("ingest", ids[start : start + BURST_MOST])


@shared_task
def learn_names() -> None:
    """Learn which names mean one machine, and who owns pods, where clusters and servers are declared that know it."""
    inventory.learn_names()
    inventory.learn_owners(timezone.now())


@shared_task
def forget() -> None:
    """Delete bodies and answers that are too old; a large backlog takes several runs."""
    ends = time.monotonic() + FORGETTING_S
    keep = retention.Keep(timedelta(days=settings.KEEP_ANSWERS_DAYS), timedelta(days=settings.KEEP_DELIVERIES_DAYS))
    gone = retention.forget(keep, timezone.now(), lambda: time.monotonic() < ends)
    if any(gone.values()):
        log.info("forgotten", **gone)
