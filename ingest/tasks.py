"""Celery tasks: each is a nudge for one row that already waits in the record, so a lost message loses nothing."""

import os
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from celery import Task, shared_task
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from incidents import outbox, queries, retention, said
from ingest import catching_up, hearing, pipeline

# After a failed nudge the door sends no other for a while: the sweeper finds the rows.
BROKER_REST_S = 2.0
BURST_S = 0.01
COUNTDOWN_MOST_S = 5.0
# One transaction holds a burst, and the door waits for it on SQLite.
BURST_MOST = 25
# Well below the time limit of a task.
FORGETTING_S = 45.0
log = structlog.get_logger()
_broker = {"rests_until": 0.0}
_thread = {"pid": 0}
_accepted: "queue.SimpleQueue[str]" = queue.SimpleQueue()


@task_prerun.connect
@task_postrun.connect
def _tidy_connections(**_: Any) -> None:
    """A worker's connection to the record is kept for the next task, unless it is broken or too old."""
    close_old_connections()


def nudge_delivery(delivery_id: str) -> None:
    """Tell a worker of a new delivery once it is committed."""
    transaction.on_commit(lambda: _tell_later(delivery_id))


def _tell_later(delivery_id: str) -> None:
    """A thread of this process publishes, so that no sender waits for the broker."""
    if _thread["pid"] != os.getpid():
        _thread["pid"] = os.getpid()
        threading.Thread(target=_publish, name="nudge", daemon=True).start()
    _accepted.put(delivery_id)


def _publish() -> None:
    """The first one goes at once; what comes shortly after it goes as one message."""
    while True:
        ids = [_accepted.get()]
        while len(ids) < BURST_MOST and not _accepted.empty():
            ids.append(_accepted.get())
        if time.monotonic() >= _broker["rests_until"]:
            _nudge(ingest_deliveries, ids)
        time.sleep(BURST_S)


def _nudge(task: "Task[[Any], None]", row_id: str | int | list[str]) -> None:
    """The sweeper finds the row when the broker cannot be reached; the sender is not made to wait for it."""
    try:
        task.apply_async((row_id,), ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        _broker["rests_until"] = time.monotonic() + BROKER_REST_S
        log.warning("broker_unavailable", task=task.name, error=str(error))


@shared_task
def ingest_deliveries(delivery_ids: list[str]) -> None:
    """Parse a burst of deliveries into the record."""
    for incident_id in pipeline.ingest(delivery_ids):
        _later(investigate_incident, queries.waiting_investigation(incident_id))


@shared_task
def investigate_incident(investigation_id: int) -> None:
    """Collect, rank, ask for the graph to remember; what was asked for meanwhile comes next."""
    if incident_id := pipeline.investigate(investigation_id):
        _nudge(remember, "")
        _nudge(tell_waiting, "")
        _later(investigate_incident, queries.waiting_investigation(incident_id))


@shared_task
def tell_waiting(_: str = "") -> None:
    """Everything that waits for a ticket system, a chat or a source."""
    pipeline.tell()


def nudge_heard(heard_id: str) -> None:
    """Tell a worker of a webhook of a ticket system once it is committed."""
    transaction.on_commit(lambda: _nudge(hear, heard_id))


def nudge_telling() -> None:
    """Tell a worker that something is due for a told target, once it is committed."""
    transaction.on_commit(lambda: _nudge(tell_waiting, ""))


@shared_task
def hear(heard_id: str) -> None:
    """What people did at a ticket system into the record."""
    if hearing.hear(heard_id):
        _nudge(tell_waiting, "")


@shared_task
def poll() -> None:
    """Ask the ticket systems that send no webhooks."""
    hearing.poll(timezone.now())


@shared_task
def remember(_: str = "") -> None:
    """Everything that waits for the graph, in one batch: one writer at a time."""
    pipeline.remember()


@shared_task
def sweep() -> None:
    """Pick up every row that is not done: after a lost broker, a killed worker, or at the end of a wait."""
    for burst in queries.waiting_deliveries(BURST_MOST):
        _nudge(ingest_deliveries, burst)
    for investigation_id in queries.due_investigations():
        _nudge(investigate_incident, investigation_id)
    if queries.due_outbox("graph"):
        _nudge(remember, "")
    for heard_id in said.waiting(timezone.now()):
        _nudge(hear, heard_id)
    if outbox.waits(timezone.now()):
        _nudge(tell_waiting, "")


@shared_task
def compare() -> None:
    """Fetch what a source gave up sending while nobody was here to take it."""
    ids = catching_up.catch_up(timezone.now())
    for start in range(0, len(ids), BURST_MOST):
        _nudge(ingest_deliveries, ids[start : start + BURST_MOST])


@shared_task
def forget() -> None:
    """Bodies and answers whose time is over; a backlog is worked off over several rounds."""
    ends = time.monotonic() + FORGETTING_S
    keep = retention.Keep(timedelta(days=settings.KEEP_ANSWERS_DAYS), timedelta(days=settings.KEEP_DELIVERIES_DAYS))
    gone = retention.forget(keep, timezone.now(), lambda: time.monotonic() < ends)
    if any(gone.values()):
        log.info("forgotten", **gone)


def _later(task: "Task[[int], None]", waiting: tuple[int, float] | None) -> None:
    """Start when it is due; a long wait is for the sweeper: a countdown must not outlive the broker's timeout."""
    if waiting is None or waiting[1] > COUNTDOWN_MOST_S:
        return
    try:
        task.apply_async((waiting[0],), countdown=waiting[1] and waiting[1] + 0.02, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("broker_unavailable", task=task.name, error=str(error))


def drain(limit: int = 100, pause: Callable[[], None] = lambda: None) -> int:
    """Do all that waits here and now, without a broker; how many rounds it took. For tests and small commands."""
    for round_number in range(limit):
        waiting = queries.waiting_deliveries(BURST_MOST)
        for burst in waiting:
            pipeline.ingest(burst)
        heard = [hearing.hear(h) for h in said.waiting(timezone.now())]
        looked = [pipeline.investigate(i) for i in queries.due_investigations()]
        if not waiting and not heard and not looked and not queries.due_investigations():
            pipeline.remember()
            pipeline.tell()
            return round_number
        pause()
    return limit
