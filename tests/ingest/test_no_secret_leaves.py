"""Known secrets through a full run with every kind of failure: none in logs, rows, pages, answers, metrics or bundles."""

import hashlib
import hmac
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config import logs
from connections import declare
from domain.connections import ChatDecl, Connections, TicketDecl
from incidents import sources
from incidents.models import Incident, Investigation
from notify import dispatch, inbox, outbox, targets, ticket_events
from notify.models import Outbox
from tests.drain import drain
from tests.fakes.minimal_systems import BOARD, SHOUT, Board, Wall
from tests.fakes.server import error, lost_answer
from tests.ingest.test_doors import PAYLOADS
from tests.notify.scene import ManualClock
from web.api.access import add_token

SECRETS = {
    "door": "the-token-of-the-door-7f3a", "bearer": "the-bearer-token-91bc", "path": "the-secret-path-55de",
    "key": "the-signing-key-0a1b", "robot": "the-robot-key-77aa", "password": "the-basic-password-3c4d",
}  # fmt: skip


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Board, Wall]]:
    monkeypatch.setattr(targets, "all_systems", lambda: {"board": BOARD, "shout": SHOUT})
    cache.clear()
    with Board() as board, Wall() as wall:
        yield board, wall


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the standard library's loggers print, through the product's own formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def declared(board: Board, wall: Wall, folder: Path, mode: str) -> None:
    for name, content in SECRETS.items():
        (folder / name).write_text(content)
    (folder / "url").write_text(f"{wall.url}/send?key={SECRETS['robot']}")
    file = {name: str(folder / name) for name in (*SECRETS, "url")}
    declare.declare(Connections(
        ticket=[TicketDecl(
            kind="board", name="ops", url=board.url, mode=mode, bearer_file=file["bearer"], account="us",
            webhook_path_file=file["path"], webhook_secret_file=file["key"], timeout_s=2.0,
        )],
        chat=[ChatDecl(kind="shout", name="loud", url_file=file["url"], basic_user="me",
                       basic_password_file=file["password"], timeout_s=2.0)],
    ))  # fmt: skip


def delivered() -> None:
    sources.make_source("alertmanager", "prod", SECRETS["door"])
    body = json.dumps(json.loads((PAYLOADS / "alertmanager/01-firing-single.json").read_text())["body"])
    head = {"Authorization": f"Bearer {SECRETS['door']}"}
    assert (
        Client().post("/ingest/alertmanager/prod", body, content_type="application/json", headers=head).status_code
        == 202
    )


def called_back() -> None:
    body = json.dumps([{"key": "B-1", "verb": "acknowledged", "by": "ada", "marker": "m"}]).encode()
    signature = "sha256=" + hmac.new(SECRETS["key"].encode(), body, hashlib.sha256).hexdigest()
    for signed in (signature, "sha256=wrong"):
        Client().post(
            f"/tickets/ops/webhook/{SECRETS['path']}",
            body,
            content_type="application/json",
            headers={"X-Hub-Signature": signed},
        )


def everything_shown(incident: str) -> str:
    """All pages and answers that tell of connections, rows, incidents and figures, and a bundle's files."""
    person = Client()
    name = f"ada-{User.objects.count()}"
    person.force_login(User.objects.create_user(name, password="a long enough one"))
    head = {"Authorization": f"Bearer {add_token(name, ['read', 'operate', 'metrics'])}"}
    pages = [
        "/",
        f"/incidents/{incident}/",
        "/connections/",
        "/outbox/",
        "/outbox/?state=done",
        "/deliveries/",
        "/sources/",
    ]
    answers = [person.get(page).content for page in pages]
    answers += [person.post(f"/connections/{name}/check/").content for name in ("ticket:ops", "chat:loud")]
    answers += [
        Client().get(path, headers=head).content
        for path in ("/api/v1/outbox/", "/api/v1/outbox/?state=done", "/metrics")
    ]
    bundle = zipfile.ZipFile(io.BytesIO(person.get(f"/api/v1/incidents/{incident}/bundle/").content))
    return b"\n".join([*answers, *(bundle.read(name) for name in bundle.namelist())]).decode()


def every_row() -> str:
    models = [model for app in ("incidents", "config", "web") for model in apps.get_app_config(app).get_models()]
    rows: list[Any] = [row for model in models for row in model.objects.values()]
    return "\n".join(str({key: bytes(v) if isinstance(v, memoryview) else v for key, v in row.items()}) for row in rows)


@pytest.mark.django_db
def test_no_secret_is_kept_shown_or_logged(
    sites: tuple[Board, Wall], tmp_path: Path, lines: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    board, wall = sites
    clock = ManualClock(timezone.now() + timedelta(minutes=1))
    declared(board, wall, tmp_path, "dry-run")
    delivered()
    drain()
    Investigation.objects.filter(state="asked").update(not_before=timezone.now() - timedelta(seconds=1))
    drain()
    dispatch.dispatch_waiting(clock)
    assert Outbox.objects.filter(preview__0__method="POST").count() == 1, "the dry run held one write back"
    incident = Incident.objects.get()
    declared(board, wall, tmp_path, "create-and-update")
    for fault in (error(500), lost_answer(), error(403)):
        board.rule(fault, times=1)
        wall.rule(fault, times=1)
        outbox.send_again(outbox.rows_in_order(), clock())
        dispatch.dispatch_waiting(clock)
        assert_clean(everything_shown(str(incident.pk)))
        clock.move(minutes=5)
    outbox.send_again(outbox.rows_in_order(), clock())
    dispatch.dispatch_waiting(clock)
    called_back()
    for webhook_id in ticket_events.waiting(timezone.now()):
        inbox.process(webhook_id)
    assert len(board.items) == 1 and wall.messages, "the run was a full one"
    assert_clean(everything_shown(str(incident.pk)))
    assert_clean(every_row())
    printed = capfd.readouterr()
    logged = lines.getvalue() + printed.out + printed.err
    assert "target_unreachable" in logged and "target_refused" in logged
    assert_clean(logged)


def assert_clean(text: str) -> None:
    assert [name for name, secret in SECRETS.items() if secret in text] == []
