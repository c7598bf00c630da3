"""The page of an entity, its buttons, and "try a body" on the sources page."""

import json

import pytest
from django.test import Client

from incidents import sources
from incidents.models import Delivery, Entity, Incident, Source
from tests.incidents.test_repair import place
from tests.ingest.test_field_cases import case

ONE, TWO = "Host///worker-1", "Host///worker-2"


@pytest.fixture
def nodes(db) -> Source:
    source, _ = sources.make_source("alertmanager", "prod")
    place(source, case("02")["body"])
    return source


def test_the_page_shows_names_relations_and_incidents(person, nodes):
    text = person.get("/entities/", {"key": ONE}).content.decode()
    assert "worker-1" in text and "KubeNodeNotReady" not in text.split("<h1>")[0]
    assert "Only its own." in text and "#1 Node is not ready." in text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_two_entities_become_one_by_a_button_and_apart_again(person, nodes, language):
    given = {"key": ONE, "into": TWO, "because": "one <machine>"}
    answer = person.post("/entities/merge/", given, follow=True, headers={"accept-language": language})
    text = answer.content.decode()
    assert "one &lt;machine&gt;" in text and ONE in text
    assert set(Incident.objects.get(number=1).entities.values_list("key", flat=True)) == {TWO}
    person.post("/entities/take-apart/", {"key": ONE})
    assert set(Incident.objects.get(number=1).entities.values_list("key", flat=True)) == {ONE}


def test_a_merge_without_a_reason_or_with_an_unknown_key_says_so(person, nodes):
    text = person.post("/entities/merge/", {"key": ONE, "into": TWO}, follow=True).content.decode()
    assert "Write down what names both" in text
    text = person.post("/entities/merge/", {"key": ONE, "into": "x", "because": "y"}, follow=True).content.decode()
    assert "there is no entity x" in text
    assert not Entity.objects.filter(merged_into__isnull=False).exists()
    assert person.get("/entities/", {"key": "x" * 900}).status_code == 404
    assert Client().get("/entities/", {"key": ONE}).headers["Location"].startswith("/sign-in/")
    assert Client().post("/entities/merge/", {"key": ONE}).status_code == 302


def test_a_body_is_tried_and_nothing_is_stored(person, nodes):
    before = Delivery.objects.count()
    given = {"kind": "alertmanager", "body": json.dumps(case("01")["body"])}
    text = person.post("/sources/try/", given).content.decode()
    assert "kube-state-metrics" in text and "mailer" in text and "a new one" in text
    assert Delivery.objects.count() == before and not Entity.objects.filter(kind="Workload").exists()


def test_a_body_that_cannot_be_parsed_is_answered_with_the_reason_and_kept_in_the_field(person, nodes):
    text = person.post("/sources/try/", {"kind": "zabbix", "body": '{"event_id": "x"}'}).content.decode()
    assert "event_id" in text and "&quot;x&quot;" in text
    assert "Paste a body" in person.post("/sources/try/", {"kind": "zabbix"}).content.decode()
    assert "no source kind" in person.post("/sources/try/", {"kind": "nothing", "body": "{}"}).content.decode()


def test_the_api_says_what_the_alerts_are_about(person, nodes):
    assert person.get("/api/v1/incidents/1/").json()["subjects"] == [{"entity": ONE, "family": "node"}]


def test_the_incident_says_what_decided_and_who_only_reports(person, nodes):
    text = person.get("/incidents/1/").content.decode()
    assert "about host worker-1 (known rule KubeNodeNotReady, label node), reported by kube-state-metrics" in text
