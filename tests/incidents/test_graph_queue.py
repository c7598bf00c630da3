"""The graph's queue loses no revision, whoever finishes or asks first."""

import pytest
from django.utils import timezone

from incidents import graph_queue
from incidents.models import GraphQueue
from tests.notify.scene import an_incident

pytestmark = pytest.mark.django_db


def test_a_revision_that_came_while_an_older_one_was_written_stays_queued() -> None:
    incident = str(an_incident().pk)
    (older,) = graph_queue.due()
    graph_queue.put([incident], timezone.now())
    graph_queue.finish([older])
    (newer,) = graph_queue.due()
    assert newer.revision != older.revision and newer.wanted_at == older.wanted_at
    graph_queue.finish([newer])
    assert not graph_queue.waits() and graph_queue.backlog().waiting == 0


def test_a_revision_that_comes_after_the_row_is_gone_is_queued_anew() -> None:
    incident = str(an_incident().pk)
    graph_queue.finish(graph_queue.due())
    graph_queue.put([incident, incident], timezone.now())
    assert GraphQueue.objects.get().attempts == 0 and graph_queue.waits()


def test_an_older_failure_does_not_delay_a_newer_revision() -> None:
    incident = str(an_incident().pk)
    (older,) = graph_queue.due()
    graph_queue.put([incident], timezone.now())
    graph_queue.back_off([older], "away")
    assert graph_queue.waits() and GraphQueue.objects.get().reason == ""
