"""What a sender with the right token may send and nobody can read: parked at once with the reason, never tried again."""

import json

import pytest
from django.utils import timezone

from incidents import deliveries, sources
from incidents.models import Alert, Delivery
from ingest import parse

DEEP = b"[" * 100_000 + b"]" * 100_000
UNREADABLE = {
    "alertmanager": [b'{"x":' + DEEP + b',"alerts":[]}', b'{"alerts":' + DEEP + b"}"],
    "zabbix": [
        b'{"event_tags":' + DEEP + b"}",
        json.dumps({"event_id": "1", "event_value": "1", "event_tags": "[" * 100_000}).encode(),
    ],
}
FIRES = {"event_id": "7", "event_value": "1", "event_name": "old", "sent_at": 1}


def worked(kind: str, body: bytes) -> Delivery:
    source, _ = sources.make_source(kind, "prod")
    delivery = deliveries.accept(source, body, {}, timezone.now())
    parse.ingest([str(delivery.pk)])
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize(("kind", "body"), [(kind, body) for kind, bodies in UNREADABLE.items() for body in bodies])
def test_what_is_nested_too_deeply_is_parked_at_once(db, kind: str, body: bytes) -> None:
    delivery = worked(kind, body)
    assert (delivery.state, delivery.attempts) == ("parked", 1) and delivery.reason


@pytest.mark.parametrize(("event", "message"), [("0001.01.01", "9999.12.31"), ("9999.12.31", "0001.01.01")])
def test_zabbix_times_of_no_real_year_count_as_not_sent(db, event: str, message: str) -> None:
    times = {"event_date": event, "event_time": "23:59:59", "message_date": message, "message_time": "00:00:00"}
    delivery = worked("zabbix", json.dumps({**FIRES, **times}).encode())
    assert delivery.state == "done" and Alert.objects.get().started_at == delivery.received_at
