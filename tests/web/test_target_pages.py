"""The pages and the API of targets: connections, outbox, previews, sending again; no secret anywhere."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config.diagnosis import examine
from connections import declare
from domain.connections import ChatDecl, Connections, PrometheusDecl, TicketDecl
from incidents.models import AuditEntry
from notify import dispatch, outbox, targets
from notify.models import Outbox, TargetStatus
from tests.fakes.minimal_systems import BOARD, SHOUT, Board
from tests.fakes.server import error
from tests.web.conftest import HOSTILE
from web.api.access import add_token


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(targets, "all_systems", lambda: {"board": BOARD, "shout": SHOUT})
    with Board() as fake:
        yield fake


@pytest.fixture
def declared_board(board, db, tmp_path):
    """A board that calls us on a secret path, and a chat of a kind that this version does not know."""
    secret = tmp_path / "path"
    secret.write_text("the-secret-path")
    declare.declare(Connections(
        ticket=[TicketDecl(kind="board", name="ops", url=board.url, mode="create-and-update", webhook_path_file=str(secret))],
        chat=[ChatDecl(kind="pigeon", name="loft", url="http://127.0.0.1:9")],
        prometheus=[PrometheusDecl(name="main", url="http://127.0.0.1:9090")],
    ))  # fmt: skip


def notify():
    dispatch.dispatch_waiting(lambda: timezone.now() + timedelta(seconds=1))


def test_the_connections_page_shows_how_each_target_does(declared_board, incident, person, board):
    page = person.get("/connections/").content.decode()
    assert "/tickets/ops/webhook/&lt;webhook_path_file&gt;" in page and "the-secret-path" not in page
    assert "chat:loft" in page and "http://127.0.0.1:9090" in page and "not used yet" in page
    outbox.want_all(incident, timezone.now())
    notify()
    assert "✓ works" in person.get("/connections/").content.decode()
    TargetStatus.objects.update(failures=1, reason="the board answered 500", failed_at=timezone.now())
    page = person.get("/connections/").content.decode()
    assert "! does not answer" in page and "✓ works" not in page, "before the breaker opens too"
    board.rule(error(500))
    TargetStatus.objects.update(
        failures=9, open_until=timezone.now(), reason="the board answered 500", failed_at=timezone.now()
    )
    outbox.want_all(incident, timezone.now())
    page = person.get("/connections/").content.decode()
    assert "does not answer" in page and "the board answered 500" in page


def test_a_check_on_demand_shows_the_problem_in_a_sentence(declared_board, person, board):
    assert "found nothing wrong" in person.post("/connections/ticket:ops/check/").content.decode()
    board.rule(error(403))
    assert "the board refused with 403" in person.post("/connections/ticket:ops/check/").content.decode()
    assert person.post("/connections/ticket:nobody/check/").status_code == 404
    assert AuditEntry.objects.filter(action="check connection").count() == 2


def test_a_refused_row_is_shown_with_its_reason_and_sent_again_by_a_button(declared_board, incident, person, board):
    board.refuses = "no permission"
    outbox.want_all(incident, timezone.now())
    notify()
    page = person.get("/outbox/").content.decode()
    assert "the board refused with 403" in page and "<script>alert" not in page and "cart is down" in page
    assert HOSTILE.startswith("<script>")
    board.refuses = ""
    row = Outbox.objects.get(target="ticket:ops")
    person.post(f"/outbox/{row.pk}/again/")
    notify()
    row.refresh_from_db()
    assert row.state == "done" and len(board.items) == 1
    assert "refused with 403" not in person.get("/outbox/").content.decode()
    assert "B-1" in person.get("/outbox/?state=done").content.decode()
    assert AuditEntry.objects.filter(action="send again", by="ada").exists()


def test_a_dry_run_shows_what_it_would_send(declared_board, incident, person, board):
    declare.declare(Connections(ticket=[TicketDecl(kind="board", name="ops", url=board.url)]))
    outbox.want_all(incident, timezone.now())
    notify()
    page = person.get("/outbox/").content.decode()
    assert "1 request that would be sent" in page and f"{board.url}/items" in page and not board.items
    assert "◌ dry run" in person.get("/incidents/1/").content.decode()
    assert "将发送的请求 1 个" in person.get("/outbox/", headers={"accept-language": "zh-hans"}).content.decode()


def test_an_empty_page_teaches_the_next_step(person):
    assert b"apply connections.toml" in person.get("/connections/").content
    assert b"See the connections" in person.get("/outbox/").content
    assert "尚未通报任何系统" in person.get("/connections/", headers={"accept-language": "zh-hans"}).content.decode()


def test_all_dead_rows_of_a_target_are_sent_again_at_once(declared_board, incident, person, board):
    board.refuses = "no permission"
    outbox.want_all(incident, timezone.now())
    notify()
    person.post("/outbox/again/", {"target": "ticket:ops"})
    assert Outbox.objects.get(target="ticket:ops").state == "waiting"


def test_the_api_lists_and_sends_again_with_the_right_scope(declared_board, incident, board):
    board.refuses = "no permission"
    outbox.want_all(incident, timezone.now())
    notify()
    tokens = {name: {"Authorization": f"Bearer {add_token(name, [name])}"} for name in ("read", "operate", "metrics")}
    client = Client()
    (row,) = client.get("/api/v1/outbox/?state=dead", headers=tokens["read"]).json()["results"]
    assert (row["target"], row["incident"], row["attempts"]) == ("ticket:ops", str(incident.pk), 1)
    again = f"/api/v1/outbox/{row['id']}/redrive/"
    assert client.post(again, headers=tokens["read"]).status_code == 403
    assert client.post(again, headers=tokens["operate"]).json()["state"] == "waiting"
    assert client.post("/api/v1/outbox/999/redrive/", headers=tokens["operate"]).status_code == 404
    body = {"target": "ticket:ops"}
    answer = client.post("/api/v1/outbox/redrive/", body, content_type="application/json", headers=tokens["operate"])
    assert answer.status_code == 202 and answer.json() == {"target": "ticket:ops", "rows": 1}
    metrics = client.get("/metrics", headers=tokens["metrics"]).content.decode()
    assert 'incident_graph_outbox_pending{target="ticket:ops"} 1.0' in metrics
    assert 'incident_graph_external_requests_total{code="403",target="ticket:ops"} 1.0' in metrics
    assert "incident_graph_outbox_oldest_seconds" in metrics


@pytest.mark.parametrize("path", ["/outbox/?state=%00&target=%00", "/outbox/?page=-1", "/api/v1/outbox/?target=%00"])
def test_a_broken_address_is_no_error(declared_board, person, path):
    assert person.get(path).status_code == 200


def test_the_incidents_page_shows_its_ticket_and_how_far_each_target_is(declared_board, incident, person, board):
    outbox.want_all(incident, timezone.now())
    assert "waiting" in person.get("/incidents/1/").content.decode()
    notify()
    page = person.get("/incidents/1/").content.decode()
    assert '<a href="http://board/B-1" rel="noreferrer">B-1</a>' in page and "ALERT{" not in page
    assert "✓ The item is up to date." in page, "what was done there, and what was left out"
    assert "The item is up to date." in person.get("/outbox/?state=done").content.decode()
    assert "✓ 条目已更新。" in person.get("/incidents/1/", headers={"Accept-Language": "zh-hans"}).content.decode()


def test_the_doctor_shows_what_each_targets_own_check_finds(declared_board, incident, board):
    board.rule(error(403), times=1)
    found = {one.name: one for one in examine()}
    assert found["ticket ops"].state == "bad" and found["ticket ops"].message == "the board refused with 403"
    outbox.want_all(incident, timezone.now())
    board.refuses = "no permission"
    notify()
    lines = [(one.name, one.message) for one in examine()]
    assert ("ticket ops", "its own check found nothing wrong") in lines and ("outbox", "1 were refused") in lines
