"""The API, through its own doors."""

import pytest
from django.test import Client

from incidents.models import ApiToken
from web.api.access import add_token

READS = ["incidents/", "incidents/1/", "incidents/1/verdict/", "incidents/1/timeline/", "incidents/1/similar/", "incidents/1/postmortem/",
         "causes/", "checks/", "deliveries/"]  # fmt: skip


def bearer(*scopes: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {add_token('-'.join(scopes), scopes)}"})


@pytest.mark.parametrize("path", READS)
def test_a_token_with_read_may_read_and_a_stranger_gets_a_problem(incident, path):
    assert bearer("read").get(f"/api/v1/{path}").status_code == 200
    answer = Client().get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_a_token_without_write_may_not_write(incident):
    assert bearer("read").post("/api/v1/incidents/1/acknowledge/").status_code == 403


@pytest.mark.parametrize("form", ["json", "markdown", "adf", "wiki"])
def test_a_ticket_is_enriched_in_every_format(incident, form):
    asked = {"labels": ["ALERT{1}"], "format": form}
    answer = bearer("read").post("/api/v1/tickets/enrich/", asked, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["report"]


def test_an_unknown_ticket_is_answered_with_what_was_tried(incident):
    answer = bearer("read").post("/api/v1/tickets/enrich/", {"ticket": "OPS-9"}, content_type="application/json")
    assert answer.status_code == 404
    assert answer.json()["tried"] == ["ticket key or label OPS-9"]


@pytest.mark.parametrize("path", ["/livez", "/readyz?verbose", "/metrics", "/api/schema"])
def test_health_metrics_and_schema_answer(db, path):
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize(("path", "code"), [("/livez", 200), ("/readyz", 200), ("/metrics", 400), ("/sign-in/", 400)])
def test_probes_may_ask_by_an_address_and_nobody_else(db, settings, path, code):
    settings.ALLOWED_HOSTS = ["graph.example"]
    assert Client(headers={"host": "10.88.77.9:8000"}).get(path).status_code == code
    assert Client(headers={"host": "graph.example"}).get(path).status_code == 200


def test_a_bundle_is_a_zip(incident):
    answer = bearer("read").get("/api/v1/incidents/1/bundle/")
    assert answer.status_code in {200, 409}


@pytest.mark.parametrize(
    ("language", "word"), [("en", "### Timeline"), ("zh", "### 时间线"), ("zh-hans", "### 时间线")]
)
def test_a_postmortem_draft_is_a_markdown_file(incident, language, word):
    answer = bearer("read").get(f"/api/v1/incidents/1/postmortem/?language={language}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="postmortem-1.md"'
    assert word in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_a_tokens_last_use_is_noted_once_a_minute(incident):
    client = bearer("read")
    client.get("/api/v1/causes/")
    first = ApiToken.objects.get().last_used_at
    client.get("/api/v1/causes/")
    assert first is not None and ApiToken.objects.get().last_used_at == first


def test_a_token_that_only_scrapes_is_in_use_too(db):
    client = Client(headers={"Authorization": f"Bearer {add_token('m', ['metrics'])}", "X-Forwarded-For": "10.0.0.1"})
    assert client.get("/metrics").status_code == 200
    assert ApiToken.objects.get().last_used_at is not None
