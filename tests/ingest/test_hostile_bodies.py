"""What a sender with the right token may send and nobody can read: parked at once with the reason, never tried again."""

import json

import pytest
from django.utils import timezone

from domain import codec
from domain.alerts import ParsedAlert
from incidents import deliveries, sources
from incidents.models import Alert, Delivery
from ingest import parse
from ingest.formats import text_list
from ingest.sources import all_sources

DEEP = b"[" * 100_000 + b"]" * 100_000
UNREADABLE = {
    "alertmanager": [
        b'{"x":' + DEEP + b',"alerts":[]}',
        b'{"alerts":' + DEEP + b"}",
        DEEP,
        b'[{"labels":{"alertname":"A"},"x":' + DEEP + b"}]",
        b'[{"labels":{"alertname":' + DEEP + b"}}]",
        b'{"ruleName":"r","state":"ok","x":' + DEEP + b"}",
        b'{"TopicArn":"a","x":' + DEEP + b"}",
        b'[{"labels":{"alertname":"A"},"startsAt":"yesterday"}]',
        b"Alerts Firing:\nLabels:\nAnnotations:\n - a = b",
        b"Labels:\n - alertname = A",
    ],
    "cloudwatch": [b'{"AlarmName":"a","NewStateValue":"ALARM","Trigger":' + DEEP + b"}"],
    "google_monitoring": [
        b'{"incident":{"incident_id":"1","state":"open","resource":{"labels":{"a":' + DEEP + b"}}}}",
        b'{"incident":{"incident_id":"1","state":"open","started_at":"yesterday"}}',
    ],
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


ODD_VALUES = [
    [], {}, "text", 5, None, {"A": [1], "B": {"c": 1}}, {"A": None, "B": 1e308, "C": "x" * 9000}, {"": 1, "a" * 9000: 2},
    {str(n): n for n in range(5000)},
]  # fmt: skip


@pytest.mark.parametrize("values", ODD_VALUES, ids=range(len(ODD_VALUES)))
def test_odd_values_of_grafana_cost_only_the_values(db, values: object) -> None:
    alert = {"status": "firing", "startsAt": "2026-11-30T20:00:00Z", "labels": {"alertname": "A"}, "values": values}
    assert worked("alertmanager", json.dumps({"alerts": [alert]}).encode()).state == "done"
    assert len(codec.decode(Alert.objects.get().parsed, ParsedAlert).annotations.get("values", "")) < 2000


@pytest.mark.parametrize("started_at", [-1e300, 1e300, -1, 0, 5e11, 0.5])
def test_times_of_google_that_are_no_times_count_as_not_sent(db, started_at: float) -> None:
    incident = {"incident_id": "1", "state": "open", "started_at": started_at, "ended_at": started_at}
    row = worked("google_monitoring", json.dumps({"incident": incident}).encode())
    assert row.state == "done" and Alert.objects.get().started_at <= row.received_at


@pytest.mark.parametrize(
    "time", ["", "now", "9999-12-31T23:59:59.999+0000", "0001-01-01T00:00:00.000+0000", "2026-11-30T20:00:00.000-2300"]
)
def test_times_of_cloudwatch_that_are_no_times_count_as_not_sent(db, time: str) -> None:
    body = {"AlarmName": "nul \x00", "NewStateValue": "ALARM", "StateChangeTime": time, "Trigger": ["odd"]}
    assert worked("cloudwatch", json.dumps(body).encode()).state == "done"


@pytest.mark.parametrize(
    "end", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2026-11-30T20:00:00"]
)
def test_odd_ends_of_posted_alerts_are_recorded(db, end: str) -> None:
    body = json.dumps([{"labels": {"alertname": "A", "n": "\x00"}, "endsAt": end, "startsAt": end}]).encode()
    assert worked("alertmanager", body).state == "done" and Alert.objects.count() == 1


def test_a_list_without_end_is_cut_and_counted(db) -> None:
    text = "Alerts Firing:\n" + "Labels:\n - alertname = A\n" * 30_000
    parsed = all_sources()["alertmanager"].parse(text.encode(), timezone.now())
    assert parse.MOST_ALERTS < len(parsed.alerts) <= text_list.MOST
    assert parse._bounded(parsed).missing == len(parsed.alerts) - parse.MOST_ALERTS


@pytest.mark.parametrize("kind", ["alertmanager", "cloudwatch", "google_monitoring", "zabbix"])
def test_half_a_character_and_half_an_envelope_are_parked(db, kind: str) -> None:
    for body in (
        b'{"TopicArn": "x", "Type": "Notification", "Message": "\\ud800", "MessageId": "", "Timestamp": ""}',
        b'{"a": "\xed\xa0\x80"}',
    ):
        row = deliveries.accept(sources.closed_source(kind, "prod"), body, {}, timezone.now())
        parse.ingest([str(row.pk)])
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("parked", 1)
