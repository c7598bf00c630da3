"""Bodies as the manuals of their senders give them, sent through the real doors."""

from pathlib import Path
from typing import Any

from django.test import Client

from domain.alerts import ParsedAlert
from domain.connections import SourceDecl
from incidents import deliveries
from ingest import parse
from ingest.sources import all_sources
from tests.ingest.test_sources import NOW

FOLDER = Path(__file__).parents[1] / "payloads" / "documented"
TOKEN = "a-token-of-the-tests"


def payload(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def parsed(kind: str, name: str, **declared: Any) -> tuple[ParsedAlert, ...]:
    return all_sources()[kind].parse(payload(name), NOW, SourceDecl(kind=kind, name="prod", **declared)).alerts


def post(kind: str, body: bytes, path: str = "", content_type: str = "application/json") -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return Client().post(f"/ingest/{kind}/prod{path}", body, content_type=content_type, headers=headers)


def work() -> None:
    for waiting in deliveries.waiting_deliveries():
        parse.ingest(waiting)
