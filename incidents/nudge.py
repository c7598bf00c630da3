"""Sends Celery messages. The work is a row in the record and a message only starts it sooner, so none can be lost.

Rooms that do not import each other start each other's tasks by the names in `settings.TASKS`.
"""

import time
from typing import Any

import structlog
from celery import current_app
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.db import close_old_connections
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

# After a failed nudge a door sends no other for a while: the sweepers find the rows.
BROKER_REST_S = 2.0
COUNTDOWN_MOST_S = 5.0
log = structlog.get_logger()


class BrokerRest:
    """A pause of this process after the broker could not be reached."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        """No further message for `BROKER_REST_S` seconds."""
        self._until = time.monotonic() + BROKER_REST_S

    @property
    def lasts(self) -> bool:
        """Whether a sender that can wait should not try now."""
        return time.monotonic() < self._until


broker_rest = BrokerRest()


@task_prerun.connect
@task_postrun.connect
def _tidy_connections(**_: Any) -> None:
    """Keep a worker's database connection for the next task, unless it is broken or too old."""
    close_old_connections()


def nudge(task: str, row_id: str | int | list[str] = "", **options: Any) -> None:
    """Start the task of that name in `settings.TASKS`; while the broker is away the sweepers find the row."""
    name = settings.TASKS[task]
    try:
        current_app.send_task(name, (row_id,), ignore_result=True, **options)
    except (OperationalError, RedisError, OSError) as error:
        broker_rest.begin()
        log.warning("broker_unavailable", task=name, error=str(error))


def nudge_when_due(task: str, waiting: tuple[int, float] | None) -> None:
    """Start the task for row `waiting[0]` in `waiting[1]` seconds; nothing for None.

    A longer wait is left to the sweeper: a countdown must not outlive the broker's visibility timeout.
    """
    if waiting is None:
        return
    row_id, wait_s = waiting
    if wait_s > COUNTDOWN_MOST_S:
        return
    countdown = wait_s + 0.02 if wait_s else 0.0
    nudge(task, row_id, countdown=countdown)
