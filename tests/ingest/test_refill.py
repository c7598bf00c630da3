"""A cut-off group is filled up from a declared Alertmanager, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from domain.connections import Connections, SourceDecl
from incidents.models import Delivery, Source
from ingest.refill import refill
from ingest.sources import all_sources

PAYLOAD = Path(__file__).parent.parent / "payloads" / "alertmanager" / "10-max-alerts-2-of-5.json"
CUT = json.loads(PAYLOAD.read_text())["body"]


def active(number: int, **labels: str) -> dict[str, Any]:
    first = CUT["alerts"][0]
    return {
        "labels": {**first["labels"], "instance": f"10.0.0.{number}:8080", **labels}, "annotations": {},
        "startsAt": first["startsAt"], "endsAt": "2026-11-23T07:00:00Z", "fingerprint": f"{number:016x}",
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}, "receivers": [{"name": "max"}],
    }  # fmt: skip


@pytest.fixture
def alertmanager() -> Iterator[tuple[str, dict[str, Any]]]:
    response: dict[str, Any] = {"status": 200, "body": b"[]"}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            response["path"], response["auth"] = self.path, self.headers.get("Authorization", "")
            self.send_response(response["status"])
            self.end_headers()
            self.wfile.write(response["body"])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", response
    server.shutdown()


def filled(url: str, **more: str) -> Any:
    body = json.dumps(CUT).encode()
    delivery = Delivery(source=Source(kind="alertmanager", name="prod"), body=body)
    delivery.received_at = datetime.fromisoformat("2026-11-23T06:36:00+00:00")
    declared = Connections(source=[SourceDecl(kind="alertmanager", name="prod", api_url=url, **more)])
    return refill(delivery, all_sources()["alertmanager"].parse(body, delivery.received_at), declared)


def test_the_missing_alerts_of_the_group_are_fetched_and_no_others(alertmanager: tuple[str, dict[str, Any]]) -> None:
    url, response = alertmanager
    response["body"] = json.dumps([*(active(n) for n in (2, 3, 4)), active(5, alertname="Other")]).encode()
    parsed = filled(url)
    assert (len(parsed.alerts), parsed.missing) == (5, 0)
    assert {a.name for a in parsed.alerts} == {"Max"} and response["path"].startswith("/api/v2/alerts?")


@pytest.mark.parametrize(("status", "body"), [(500, b"no"), (200, b"<html>"), (200, b"{}"), (302, b"[]")])
def test_without_a_good_answer_the_delivery_stays_marked(
    alertmanager: tuple[str, dict[str, Any]], status: int, body: bytes
) -> None:
    url, response = alertmanager
    response.update(status=status, body=body)
    parsed = filled(url)
    assert (len(parsed.alerts), parsed.missing) == (2, 3)


def test_an_address_where_nothing_listens_leaves_the_delivery_marked() -> None:
    assert filled("http://127.0.0.1:9/").missing == 3


def test_no_declared_address_means_no_question() -> None:
    assert filled("").missing == 3


def test_the_declared_token_goes_along_and_no_proxy_of_the_environment_is_asked(
    alertmanager: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, response = alertmanager
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AM_TOKEN", "t0ken")
    response["body"] = json.dumps([active(2)]).encode()
    assert len(filled(url + "base", api_token_env="AM_TOKEN").alerts) == 3
    assert response["auth"] == "Bearer t0ken" and response["path"].startswith("/base/api/v2/alerts?")


def test_an_answer_without_an_end_leaves_the_delivery_marked(
    alertmanager: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, response = alertmanager
    monkeypatch.setattr("evidence.bounded.ANSWER_LIMIT", 1000)
    response["body"] = json.dumps([active(2)]).encode() + b" " * 2000
    assert filled(url).missing == 3
