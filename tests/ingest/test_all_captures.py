"""Every captured body of real senders: twice, in reverse, and eight at a time give one and the same record."""

import json
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.utils import timezone

from incidents.models import Alert, Delivery, Entity, Incident, Source
from tests.ingest.test_doors import bodies, post, senders, work

__all__ = ["senders"]
Sent = list[tuple[str, bytes]]
ALL: Sent = [(kind, body) for kind in ("alertmanager", "zabbix") for body in bodies(kind)]


BEGAN = timezone.now()


def reported_time(at: datetime | None) -> datetime | None:
    """A time that the sender named; where it named none, the record has the time of arrival."""
    return at if at is None or at < BEGAN else BEGAN


def facts() -> list[tuple[Any, ...]]:
    """Alerts with their last state, and which belong together; nothing of arrival or numbering."""
    rows = Alert.objects.select_related("source", "incident").order_by("source__kind", "identity", "started_at")
    return [
        (
            a.source.kind,
            a.identity,
            a.firing,
            reported_time(a.started_at),
            reported_time(a.ended_at),
            a.severity,
            a.title,
            a.incident_id is not None,
        )
        for a in rows
    ]


def together() -> set[tuple[frozenset[tuple[str, Any]], str]]:
    """Each incident as its alerts, with its state."""
    return {
        (frozenset((a.identity, reported_time(a.started_at)) for a in incident.alerts.all()), incident.state)
        for incident in Incident.objects.filter(merged_into=None)
    }


def alertmanagers() -> list[dict[str, Any]]:
    """Every alert in every body of Alertmanager, as it was told."""
    return [alert for kind, body in ALL if kind == "alertmanager" for alert in json.loads(body)["alerts"]]


def emptied() -> None:
    Alert.objects.all().delete()
    Incident.objects.all().delete()
    Delivery.objects.all().delete()
    Entity.objects.all().delete()


def one_by_one(sent: Iterable[tuple[str, bytes]]) -> None:
    for kind, body in sent:
        assert post(kind, body).status_code == 202
        work()


def eight_at_a_time(sent: Sent) -> list[int]:
    answers: list[int] = []

    def send(part: Sent) -> None:
        for kind, body in part:
            answers.append(post(kind, body).status_code)
            work()
        connections.close_all()

    threads = [threading.Thread(target=send, args=(sent[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    return answers


@pytest.fixture
def forward(senders: dict[str, Source]) -> Iterator[list[tuple[Any, ...]]]:
    one_by_one(ALL)
    yield facts()
    cache.clear()


def test_what_is_in_the_captures_is_in_the_record(forward: list[tuple[Any, ...]]) -> None:
    assert len(ALL) == 30 and set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert len({(kind, identity, started) for kind, identity, _, started, *_ in forward}) == len(forward)
    assert all(belongs for *_, belongs in forward)
    ends = [(a["fingerprint"], a["endsAt"]) for a in alertmanagers() if a["status"] == "resolved"]
    fires = {
        a["fingerprint"] for a in alertmanagers()
        if a["status"] == "firing" and not any(f == a["fingerprint"] and end > a["startsAt"] for f, end in ends)
    }  # fmt: skip
    recorded = Alert.objects.filter(source__kind="alertmanager", firing=True).values_list("identity", flat=True)
    assert sorted(recorded) == sorted(fires) and len(fires) > 3
    for incident in Incident.objects.all():
        assert incident.state == ("open" if incident.alerts.filter(firing=True).exists() else "resolved")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["twice", "reverse", "reverse and twice"])
def test_the_record_is_the_same_whichever_way_all_captures_came(forward: list[tuple[Any, ...]], way: str) -> None:
    incidents = together()
    emptied()
    sent = ALL[::-1] if "reverse" in way else ALL
    one_by_one(sent + sent if "twice" in way else sent)
    assert facts() == forward
    assert together() == incidents


@pytest.mark.django_db(transaction=True)
def test_eight_at_a_time_in_reverse_and_twice_give_no_error_and_no_double(forward: list[tuple[Any, ...]]) -> None:
    emptied()
    answers = eight_at_a_time(ALL[::-1] * 2)
    assert answers == [202] * len(ALL) * 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    # Which incidents join depends on the order of arrival; that each alert is in one, and its state, does not.
    assert facts() == forward
    for incident in Incident.objects.all():
        assert incident.state == ("open" if incident.alerts.filter(firing=True).exists() else "resolved")
