"""`watch_kubernetes`: watches the pods and events of every declared cluster, until a signal ends it."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.celery import app
from config.management.verb import Verb
from ingest.watching.watcher import watch

log = structlog.get_logger()


class Command(Verb):
    help = "Follow pods and events of the declared Kubernetes clusters and bring them in as a source."
    examples = ("watch_kubernetes",)

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def end(_: int, __: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        watch(stop, nudge)


def nudge(delivery_ids: Sequence[str]) -> None:
    """Start the task by its name, so that this small process does not import what the task needs."""
    try:
        app.send_task(settings.TASKS["ingest"], (list(delivery_ids),), ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        # The sweeper finds the rows.
        log.warning("broker_unavailable", error=str(error))
