"""What a worker keeps between its tasks."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_postrun, task_prerun
from django.db import connection

from config.celery import app
from incidents import deliveries
from ingest import tasks

SENDER: Any = SimpleNamespace(request=SimpleNamespace(is_eager=False))


def worked(celery: DjangoWorkerFixup) -> object:
    """One task as a worker runs it; the connection that it used."""
    celery.on_task_prerun(SENDER)
    task_prerun.send(tasks.sweep)
    deliveries.waiting_deliveries()
    used = connection.connection
    task_postrun.send(tasks.sweep)
    celery.on_task_postrun(SENDER)
    return used


@pytest.mark.django_db(transaction=True)
def test_the_next_task_goes_on_with_the_connection_until_it_is_too_old() -> None:
    celery = DjangoWorkerFixup(app)
    first = worked(celery)
    assert worked(celery) is first
    connection.close_at = 0.0
    assert worked(celery) is not first
