"""The incident of a ticket is found by whatever the ticket knows, and answered in values that a rule can use."""

import json
from pathlib import Path

import pytest
from django.test import Client

from incidents.models import Alert, Incident, TicketLink, VerdictRow
from tests.web.test_api import bearer
from web.api.enriching import fingerprint

PAYLOADS = Path(__file__).parents[1] / "payloads" / "alertmanager"


def enrich(asked, client: Client | None = None):
    return (client or bearer("read")).post("/api/v1/tickets/enrich/", asked, content_type="application/json")


@pytest.fixture
def ticket(incident) -> TicketLink:
    return TicketLink.objects.create(incident=incident, key="OPS-17", target="ticket:ops")


@pytest.mark.parametrize("asked", [
    {"ticket": "OPS-17"}, {"ticket": " ops-17 "}, {"labels": ["x", "ALERT{1}"]}, {"labels": ["", "ig-1"]},
    {"alert": {"fingerprint": "f1"}}, {"alert": {"event_id": "f1"}}, {"alert": {"eventid": "f1"}},
    {"alert": {"alerts": [{"fingerprint": "other"}, {"fingerprint": "f1"}]}}, {"incident": "1"}, {"incident": "#1"},
    {"ticket": "OPS-99", "labels": [], "alert": {"identity": "f1"}},
])  # fmt: skip
def test_any_of_what_a_ticket_knows_leads_to_the_incident(ticket, asked):
    answer = enrich(asked)
    assert answer.status_code == 200, answer.content
    assert answer.json()["incident"]["number"] == 1


def test_the_group_of_an_alert_leads_to_its_label(incident):
    TicketLink.objects.create(
        incident=incident, key="ALERT{" + "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" + "}"
    )
    assert enrich({"alert": {"groupKey": "{}"}}).status_code == 200


def test_the_labels_of_an_alert_lead_to_its_fingerprint(incident):
    labels = {"alertname": "EtcdLeader", "instance": "etcd1"}
    Alert.objects.update(identity=fingerprint(labels))
    assert enrich({"alert": {"labels": labels}}).status_code == 200


def test_fingerprints_are_those_of_alertmanager():
    """Against every alert in messages that a real Alertmanager sent."""
    payloads = [json.loads(file.read_text()) for file in sorted(PAYLOADS.glob("*.json"))]
    messages = [one["body"] for one in payloads if isinstance(one, dict) and "body" in one]
    alerts = [alert for message in messages if isinstance(message, dict) for alert in message["alerts"]]
    assert len(alerts) >= 5
    assert [fingerprint(alert["labels"]) for alert in alerts] == [alert["fingerprint"] for alert in alerts]


def test_a_key_is_surer_than_a_label(ticket, incident):
    newer = Incident.objects.create(
        number=2, title="newer", started_at=incident.last_alert_at, opened_at=incident.last_alert_at,
        last_alert_at=incident.last_alert_at,
    )  # fmt: skip
    TicketLink.objects.create(incident=newer, key="shared")
    assert enrich({"ticket": "OPS-17", "labels": ["shared"]}).json()["incident"]["number"] == 1


def test_flat_values_need_no_loop(ticket):
    response = enrich({"ticket": "OPS-17"}).json()
    flat = {name: value for name, value in response.items() if not isinstance(value, dict | list)}
    assert flat["state"] == "ranked"
    assert (flat["top_cause"], flat["top_cause_title"], flat["probability"]) == (
        "etcd-slow-disk", "Slow disk under one etcd member", 0.83,
    )  # fmt: skip
    assert flat["summary_text"] == "The disk of etcd1 is slow, so etcd lost its leader (likely, 83%)"
    assert flat["report_url"].endswith(f"/incidents/{response['incident']['id']}/")


def test_flat_values_speak_chinese(ticket):
    response = enrich({"ticket": "OPS-17", "language": "zh"}).json()
    assert response["summary_text"] == "etcd1 的磁盘慢，导致 etcd 失去主节点（很可能，83%）"


def test_an_incident_without_verdict_is_waiting(ticket):
    VerdictRow.objects.all().delete()
    response = enrich({"ticket": "OPS-17"}).json()
    assert (response["state"], response["top_cause"], response["probability"], response["verdict"]) == (
        "waiting",
        "",
        None,
        None,
    )
    assert response["summary_text"] == "This incident is being investigated."


@pytest.mark.parametrize("asked, tried", [
    ({"ticket": "ops-9"}, ["ticket key or label OPS-9", "ticket key or label ops-9"]),
    ({"labels": ["a", "b"]}, ["ticket key or label a", "ticket key or label b"]),
    ({"incident": "77", "alert": {"fingerprint": "x"}}, ["incident 77", "alert fingerprint x"]),
    ({}, []), ({"ticket": "", "labels": [""], "incident": ""}, []),
    ({"alert": {"labels": {}, "alerts": [3, {"event_id": 12}], "groupKey": ""}}, ["alert event_id 12"]),
])  # fmt: skip
def test_an_unknown_ticket_is_a_404_with_what_was_tried(incident, asked, tried):
    answer = enrich(asked)
    assert (answer.status_code, answer.json()["tried"]) == (404, tried)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "asked", [{"labels": "x"}, {"format": "pdf"}, {"alert": []}, {"labels": ["x"] * 101}, {"ticket": "x" * 256}]
)
def test_a_wrong_call_names_the_field(incident, asked):
    answer = enrich(asked)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, list(asked))


def test_odd_texts_are_only_not_found(incident):
    assert enrich({"ticket": "\x00", "labels": ["\ud800".encode("utf-8", "replace").decode()]}).status_code in {
        400,
        404,
    }


def test_it_needs_a_token_that_may_read(incident):
    assert enrich({"incident": "1"}, Client()).status_code == 401
    assert enrich({"incident": "1"}, bearer("metrics")).status_code == 403


def test_it_asks_the_database_a_bounded_number_of_times(ticket, django_assert_max_num_queries):
    client = bearer("read")
    with django_assert_max_num_queries(25):
        assert enrich({"ticket": "OPS-17"}, client).status_code == 200
