"""What pages and the API show of incidents that were merged, or that follow one another."""

import pytest
from django.test import Client

from domain.alerts import Family
from incidents.models import Feedback, Incident, TicketLink
from tests.incidents.test_merging import CONNECTS, PODS, about, place
from tests.web.test_api import bearer


@pytest.fixture
def merged(db: None) -> Incident:
    place(about(PODS[0]))
    place(about(PODS[1], 1))
    second = Incident.objects.get(number=2)
    TicketLink.objects.create(incident=second, key="OPS-2", target="ticket:ops")
    place(CONNECTS)
    second.refresh_from_db()
    return second


@pytest.fixture
def follower(db: None) -> Incident:
    place(about(PODS[0]))
    Incident.objects.get().alerts.update(firing=False, ended_at=Incident.objects.get().started_at)
    place(about(PODS[0], 6, family=Family.PROBE))
    return Incident.objects.get(number=2)


def test_the_page_of_a_merged_incident_leads_to_the_other_one_and_back(person: Client, merged: Incident) -> None:
    page = person.get("/incidents/2/").content.decode()
    first = Incident.objects.get(number=1)
    assert "all its alerts are there now" in page and f'<a href="/incidents/{first.pk}/">#1 ' in page
    assert ">Acknowledge<" not in page and "⇒ Merged" in page
    assert "Being looked at" not in page
    back = person.get("/incidents/1/").content.decode()
    assert "was merged into it" in back and f'<a href="/incidents/{merged.pk}/">#2 ' in back
    chinese = person.get("/incidents/2/", headers={"accept-language": "zh-hans"}).content.decode()
    assert "其全部告警现归入" in chinese


def test_lists_show_the_one_that_stays_alone(person: Client, merged: Incident) -> None:
    assert f"/incidents/{merged.pk}/" not in person.get("/").content.decode()
    listed = bearer("read").get("/api/v1/incidents/").json()["results"]
    assert [row["number"] for row in listed] == [1]


def test_the_api_names_the_incident_that_has_the_alerts_now(merged: Incident) -> None:
    client = bearer("read")
    one = client.get("/api/v1/incidents/2/").json()
    assert (one["number"], one["merged_into"]["number"], one["merged"]) == (2, 1, [])
    assert one["merged_into"]["url"].endswith(f"/incidents/{one['merged_into']['id']}/")
    other = client.get("/api/v1/incidents/1/").json()
    assert (other["merged_into"], [row["number"] for row in other["merged"]]) == (None, [2])


@pytest.mark.parametrize("asked", [{"ticket": "OPS-2"}, {"labels": ["ig-2"]}, {"incident": "#2"}])
def test_a_ticket_of_the_merged_one_is_enriched_with_the_one_that_stays(merged: Incident, asked: object) -> None:
    answer = bearer("read").post("/api/v1/tickets/enrich/", asked, content_type="application/json")
    assert answer.json()["incident"]["number"] == 1


def test_what_is_done_to_the_merged_one_is_done_to_the_one_that_stays(person: Client, merged: Incident) -> None:
    client = bearer("read", "write")
    answer = client.post("/api/v1/incidents/2/acknowledge/")
    assert answer.json()["number"] == 1 and answer.json()["acknowledged_by"]
    judgement = {"kind": "confirmed", "cause": "dns-failure"}
    assert person.post(f"/incidents/{merged.pk}/feedback/", judgement).status_code == 302
    assert client.post("/api/v1/incidents/2/feedback/", judgement, "application/json").status_code == 201
    assert set(Feedback.objects.values_list("incident__number", flat=True)) == {1}
    assert len(client.get("/api/v1/incidents/2/timeline/").json()) >= 3


def test_an_incident_that_follows_another_names_it_and_is_named_there(person: Client, follower: Incident) -> None:
    first = Incident.objects.get(number=1)
    assert follower.follows == first
    page = person.get("/incidents/2/").content.decode()
    assert "Follows an incident of the same entity" in page and f'<a href="/incidents/{first.pk}/">#1 ' in page
    assert "another failure of pod cart-1, after incident #1" in page
    assert "Followed by another failure" in person.get("/incidents/1/").content.decode()
    client = bearer("read")
    assert client.get("/api/v1/incidents/2/").json()["follows"]["number"] == 1
    assert [row["number"] for row in client.get("/api/v1/incidents/1/").json()["followed_by"]] == [2]
