"""What a hostile caller with a token may send: every answer is a refusal or a result, never a fault of the service."""

from base64 import b64encode

import pytest
from django.test import Client

from web.api.access import add_token

DEEP = b'{"alert":' + b'{"eventid":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
BARELY_READ = b'{"alert":{"eventid":' + b"[" * 900 + b"]" * 900 + b',"groupKey":{"a":{}},"labels":{"a":[[]]}}}'


@pytest.fixture
def caller(db) -> Client:
    return Client(headers={"Authorization": f"Bearer {add_token('all', ['read', 'write', 'operate'])}"})


@pytest.mark.parametrize("path", ["tickets/enrich/", "changes/", "outbox/redrive/", "incidents/1/feedback/"])
@pytest.mark.parametrize("body", [DEEP, b"[" * 100_000, BARELY_READ, b'{"at":1e999,"target":' + b"9" * 9000 + b"}"])
def test_no_body_makes_it_fail(incident, caller: Client, path: str, body: bytes) -> None:
    answer = caller.post(f"/api/v1/{path}", body, content_type="application/json")
    assert answer.status_code in {400, 404} and answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("listed", ["incidents", "changes", "outbox", "deliveries"])
@pytest.mark.parametrize("position", ["r=1&p=x", "r=1&p=%00", "p=9999-99-99", "p=0001-01-01T00:00:00%2B14:00",
                                      "p=9999-12-31T23:59:59-14:00", "o=-5", "o=x", "p=\ud83d\ude00"])  # fmt: skip
def test_no_cursor_makes_it_fail(incident, caller: Client, listed: str, position: str) -> None:
    cursor = b64encode(position.encode("utf-8", "surrogatepass")).decode()
    assert caller.get(f"/api/v1/{listed}/", {"cursor": cursor}).status_code in {200, 404}


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0001-01-01", "9999d", "²d"]
)
def test_no_time_at_the_ends_of_the_calendar_makes_it_fail(incident, caller: Client, person: Client, time: str) -> None:
    asked = {"since": time, "until": time}
    assert caller.get("/api/v1/incidents/", asked).status_code == 200
    assert caller.get("/api/v1/changes/", asked).status_code == 200
    assert person.get("/", asked).status_code == 200
