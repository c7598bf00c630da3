"""A POST with an Idempotency-Key is done once, whoever sends it again, later or at the same time."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from incidents.models import AnsweredCall, Feedback
from tests.web.test_api import bearer
from web.api.access import add_token
from web.api.idempotency import HEADER, REPLAYED

URL = "/api/v1/incidents/1/feedback/"
FEEDBACK = {"kind": "confirmed", "cause": "etcd-slow-disk"}


def send_feedback(client: Client, key: str, body=None, url: str = URL):
    return client.post(url, body or FEEDBACK, content_type="application/json", headers={HEADER: key})


def test_the_same_call_again_is_answered_alike_and_done_once(incident):
    client = bearer("write")
    first, again = send_feedback(client, "k1"), send_feedback(client, "k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert Feedback.objects.count() == 1


def test_another_key_and_no_key_are_other_calls(incident):
    client = bearer("write")
    send_feedback(client, "k1")
    send_feedback(client, "k2")
    client.post(URL, FEEDBACK, content_type="application/json")
    assert Feedback.objects.count() == 3


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(incident):
    send_feedback(Client(headers={"Authorization": f"Bearer {add_token('a', ['write'])}"}), "k1")
    send_feedback(Client(headers={"Authorization": f"Bearer {add_token('b', ['write'])}"}), "k1")
    assert Feedback.objects.count() == 2


def test_a_key_that_was_used_for_another_call_is_refused(incident):
    client = bearer("write")
    send_feedback(client, "k1")
    answer = send_feedback(client, "k1", {**FEEDBACK, "cause": "cross-az-network-jitter"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert send_feedback(client, "k1", url="/api/v1/incidents/1/acknowledge/").status_code == 422
    assert Feedback.objects.count() == 1


def test_a_call_that_failed_may_be_repeated_when_it_is_right(incident):
    client = bearer("write")
    assert send_feedback(client, "k1", {**FEEDBACK, "cause": "no-such-cause"}).status_code == 400
    assert AnsweredCall.objects.count() == 0
    assert send_feedback(client, "k1").status_code == 201


def test_a_failed_call_leaves_nothing_half_done(incident, monkeypatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    client = bearer("write")
    client.raise_request_exception = False
    monkeypatch.setattr("incidents.audit.write", broken)
    assert send_feedback(client, "k1").status_code == 500
    assert (Feedback.objects.count(), AnsweredCall.objects.count()) == (0, 0)
    monkeypatch.undo()
    assert send_feedback(client, "k1").status_code == 201


def test_after_a_day_the_key_is_new(incident):
    client = bearer("write")
    send_feedback(client, "k1")
    AnsweredCall.objects.update(at=timezone.now() - timedelta(hours=24, seconds=1))
    assert REPLAYED not in send_feedback(client, "k1").headers
    assert (Feedback.objects.count(), AnsweredCall.objects.count()) == (2, 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ"])
def test_a_malformed_key_is_refused(incident, key):
    answer = send_feedback(bearer("write"), key)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [HEADER])


def test_a_stranger_uses_up_no_key(incident):
    assert send_feedback(Client(), "k1").status_code == 401
    assert send_feedback(bearer("read"), "k1").status_code == 403
    assert AnsweredCall.objects.count() == 0


def test_reading_by_post_keeps_no_answer(incident):
    assert send_feedback(bearer("read"), "k1", {"incident": "1"}, "/api/v1/tickets/enrich/").status_code == 200
    assert AnsweredCall.objects.count() == 0


def test_the_schema_has_the_header(db):
    paths = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()["paths"]
    named = {
        path
        for path, ways in paths.items()
        if any(p["name"] == HEADER for p in ways.get("post", {}).get("parameters", ()))
    }
    assert {"/api/v1/incidents/{incident_id}/feedback/", "/api/v1/changes/"} <= named
    assert "/api/v1/tickets/enrich/" not in named


@pytest.mark.django_db(transaction=True)
def test_the_same_call_many_times_at_once_is_done_once(incident):
    token = add_token("many", ["write"])
    begin, answers = threading.Barrier(6), []

    def send() -> None:
        client = Client(headers={"Authorization": f"Bearer {token}"})
        begin.wait()
        try:
            answers.append(send_feedback(client, "k1"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert connection.vendor in {"sqlite", "postgresql"}
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(REPLAYED in answer.headers for answer in answers) == 5
    assert Feedback.objects.count() == 1
