"""How many SQL statements one delivery costs, from its row to its incident, and one look at it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connections.declare import declare
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from incidents import burst, deliveries, investigations, sources
from incidents.models import EntityRelation, Incident, Source
from ingest import parse
from investigate import run

COUNTS = Path(__file__).with_name("statement_counts.json")
BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
MEMBERS = [
    EtcdMemberDecl(name=f"etcd{n}", endpoint=f"http://10.0.0.{n}:2379", zone="az-a", host=f"db-{n}") for n in (1, 2, 3)
]


@pytest.fixture
def source(db: None) -> Source:
    declare(Connections(etcd=[EtcdDecl(name="main", cluster="prod-a", member=MEMBERS)]))
    burst.apply_burst([], Connections())  # the first burst ever also makes the row that the later ones lock
    return sources.make_source("alertmanager", "prod")[0]


def accepted(source: Source, which: str, labels: dict[str, str], ended: datetime | None = None) -> str:
    """The id of a delivery with an alert for each fingerprint in `which`."""
    alerts = [
        {
            "status": "resolved" if ended else "firing", "fingerprint": fingerprint, "startsAt": BEGAN.isoformat(),
            "endsAt": ended.isoformat() if ended else "0001-01-01T00:00:00Z", "annotations": {},
            "labels": {"alertname": "Told", "cluster": "prod-a", **labels},
        }
        for fingerprint in which.split()
    ]  # fmt: skip
    body = json.dumps({"version": "4", "status": "firing", "groupKey": "{}", "alerts": alerts}).encode()
    return str(deliveries.accept(source, body, {}, BEGAN + timedelta(minutes=1)).pk)


def delivered(source: Source, which: str, labels: dict[str, str], ended: datetime | None = None) -> Callable[[], None]:
    """Works off one accepted delivery."""
    return worked([accepted(source, which, labels, ended)])


def worked(ids: list[str]) -> Callable[[], None]:
    """Works off these deliveries, which are about one incident."""

    def work() -> None:
        assert len(parse.ingest(ids)) == 1

    return work


def looked() -> None:
    (waiting,) = investigations.due_investigations()
    assert run.investigate(waiting)


def counted(done: Callable[[], None]) -> int:
    with CaptureQueriesContext(connection) as asked:
        done()
    return len(asked)


def test_a_delivery_and_a_look_take_their_number_of_statements(source: Source) -> None:
    member, pod = {"job": "etcd", "instance": "10.0.0.1:2379"}, {"namespace": "shop", "pod": "cart-1", "node": "n-1"}
    found = {
        "first alert of a declared member": counted(delivered(source, "a1", member)),
        "first look": counted(looked),
        "another alert of it": counted(delivered(source, "a2", member)),
        "the same alert again": counted(delivered(source, "a2", member)),
        "its end": counted(delivered(source, "a2", member, BEGAN + timedelta(minutes=2))),
        "first alert of a pod": counted(delivered(source, "b1", pod)),
        "five deliveries about it": counted(worked([accepted(source, f"d{n}", pod) for n in range(5)])),
        "ten alerts of it at once": counted(delivered(source, "c0 c1 c2 c3 c4 c5 c6 c7 c8 c9", pod)),
        "the same ten again": counted(delivered(source, "c0 c1 c2 c3 c4 c5 c6 c7 c8 c9", pod)),
    }
    assert Incident.objects.count() == 2
    assert found == json.loads(COUNTS.read_text())


def test_what_is_declared_hangs_together_before_the_first_alert_comes(source: Source) -> None:
    kinds = EntityRelation.objects.filter(start__name="etcd1").order_by("kind")
    assert list(kinds.values_list("kind", "end__name")) == [
        ("IN_ZONE", "az-a"),
        ("MEMBER_OF", "main"),
        ("RUNS_ON", "db-1"),
    ]
