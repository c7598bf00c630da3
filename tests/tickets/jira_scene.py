"""A declared Jira for tests: a transport over real HTTP, a target state that survives the process, notifications."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from domain.alerts import Severity
from domain.connections import TicketDecl
from domain.snapshot import IncidentSnapshot
from tests.fakes.jira import JiraFake
from tests.tickets.reports import snapshot
from tickets.report import build
from tickets.system import Notification, Reason, Receipt, Transport
from tickets.systems.jira import SYSTEM
from tickets.transport import Attempt, Traffic, client

TRANSITIONS = {"resolved": "Resolve", "reopened": "Reopen"}


class FileTargetState:
    """A target state as durable as the record's: on the disk when `put` returns."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def get(self, name: str) -> str:
        return str(self.all().get(name, ""))

    def all(self) -> dict[str, str]:
        return dict(json.loads(self.file.read_text())) if self.file.exists() else {}

    def put(self, **values: str) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({**self.all(), **values}))
        os.replace(new, self.file)


def declared(jira: JiraFake, **more: Any) -> TicketDecl:
    base: dict[str, Any] = {
        "kind": "jira",
        "name": "ops",
        "url": jira.url,
        "project": "OPS",
        "transitions": TRANSITIONS,
    }
    login = {"basic_user": jira.basic()[0]} if jira.cloud else {}
    return TicketDecl(**{**base, "mode": "create-and-update", **login, **more})


def secrets(jira: JiraFake, **more: str) -> dict[str, str]:
    own = {"basic_password": jira.secret} if jira.cloud else {"bearer": jira.secret}
    return {**own, **more}


@contextmanager
def reached(
    jira: JiraFake, decl: TicketDecl | None = None, traffic: Traffic | None = None, **given: str
) -> Iterator[Transport]:
    """A transport as the outbox makes it."""
    decl, traffic = decl or declared(jira), traffic or Traffic()
    known = secrets(jira, **given)

    def secret(name: str) -> str:
        return known.get(name, "")

    attempt = Attempt(traffic, dry_run=decl.mode == "dry-run")
    now = datetime.fromtimestamp(jira.shop.now(), UTC)
    with client(SYSTEM, decl, secret, attempt) as http:
        yield Transport(decl, http, secret, now, attempt.dry_run, traffic.show)


def notify(
    jira: JiraFake, notification: Notification, target_state: FileTargetState, decl: TicketDecl | None = None
) -> Receipt:
    with reached(jira, decl) as transport:
        return SYSTEM.notify(transport, notification, target_state)


def notify_through(
    jira: JiraFake, notification: Notification, target_state: FileTargetState, http_transport: httpx.BaseTransport
) -> Receipt:
    """Like `notify`, over an HTTP transport of the test's own."""
    decl = declared(jira)
    with reached(jira, decl) as transport:
        inner = httpx.Client(
            base_url=jira.url, auth=jira.basic() if jira.cloud else None, transport=http_transport,
            headers={} if jira.cloud else {"Authorization": f"Bearer {jira.secret}"}, timeout=5,
        )  # fmt: skip
        with inner:
            return SYSTEM.notify(replace(transport, client=inner), notification, target_state)


def incident(state: str = "open", **more: Any) -> IncidentSnapshot:
    now = datetime.now(UTC)
    base = replace(snapshot(), state=state, started_at=now - timedelta(hours=1), severity=Severity.HIGH)
    return replace(base, resolved_at=now if state == "resolved" else None, **more)


def notification(state: str = "open", labels: tuple[str, ...] = (), language: str = "en", **more: Any) -> Notification:
    about = incident(state, **more)
    return Notification(about, build(about), 1, Reason.UPDATED, language, labels)
