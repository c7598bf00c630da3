"""What people do in the ticket comes back: through the door, verified, once, in any order, without a loop."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.logs import Formatter
from domain.alerts import AlertState
from incidents.models import AuditEntry, Incident
from notify import dispatch, inbox, ticket_events
from notify.models import AppliedTicketEvent, InboundWebhook, Outbox, TargetStatus
from tests.fakes.minimal_systems import Board
from tests.fakes.server import Answer, Fault, error
from tests.notify.scene import ManualClock, an_incident, declared, judged, ticket

PATH, KEY = "a-path-that-nobody-guesses", "a-key-that-nobody-knows"
pytestmark = pytest.mark.usefixtures("own_systems")


@pytest.fixture
def incident(db: None, board: Board, tmp_path: Path) -> Incident:
    """An incident whose ticket is B-1, on a board that calls us with a secret path and a signature."""
    (tmp_path / "path").write_text(PATH)
    (tmp_path / "key").write_text(KEY)
    declared(ticket=ticket(
        board, webhook_path_file=str(tmp_path / "path"), webhook_secret_file=str(tmp_path / "key"), account="us",
    ))  # fmt: skip
    row = an_incident()
    judged(row)
    dispatch.dispatch_waiting(ManualClock(timezone.now() + timedelta(seconds=1)))
    return row


def event(verb: str, marker: str = "m1", by: str = "ada", **more: str) -> dict[str, str]:
    return {"key": "B-1", "verb": verb, "by": by, "marker": marker, **more}


def call(*events: dict[str, str], path: str = PATH, key: str = KEY) -> Any:
    body = json.dumps(events).encode()
    signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature": signature}
    return Client().post(f"/tickets/ops/webhook/{path}", body, content_type="application/json", headers=headers)


def process_events(*events: dict[str, str]) -> None:
    assert call(*events).status_code == 202
    for webhook_id in ticket_events.waiting(timezone.now()):
        inbox.process(webhook_id)


def test_what_people_do_in_the_ticket_is_done_here(incident: Incident) -> None:
    process_events(
        event("assigned", "m1", value="grace"), event("cause", "m2", value="dns-failure", note="the resolver was down")
    )
    incident.refresh_from_db()
    assert (incident.acknowledged_by, incident.assigned_to) == ("grace", "grace")
    feedback = incident.feedback.get()
    assert (feedback.kind, feedback.cause, feedback.by, feedback.note) == (
        "corrected", "dns-failure", "ada", "the resolver was down"
    )  # fmt: skip
    process_events(event("resolved", "m3"))
    incident.refresh_from_db()
    assert incident.state == "resolved" and incident.resolved_at is not None
    process_events(event("reopened", "m4"))
    incident.refresh_from_db()
    assert (incident.state, incident.reopened) == ("open", 1)
    assert InboundWebhook.objects.filter(state="done").count() == 3 and TargetStatus.objects.get().event_at is not None


def test_an_event_that_comes_twice_counts_once(incident: Incident) -> None:
    for _ in range(2):
        process_events(event("cause", value="etcd-slow-disk"), event("reopened", "m2"))
    assert incident.feedback.get().kind == "confirmed"
    assert AppliedTicketEvent.objects.count() == 2


def test_a_closed_ticket_closes_the_incident_until_a_new_alert_comes(incident: Incident) -> None:
    process_events(event("resolved"))
    an_incident()
    incident.refresh_from_db()
    assert incident.state == "resolved", "the old alert sent again changes nothing"
    later = timezone.now() + timedelta(minutes=1)
    Incident.objects.filter(pk=incident.pk).update(closed_at=later - timedelta(minutes=5))
    an_incident("p1", occurrence="2", at=later)
    incident.refresh_from_db()
    assert (incident.state, incident.reopened, incident.closed_at) == ("open", 1, None)


def test_events_that_arrive_in_the_wrong_order_end_at_the_last_word(incident: Incident) -> None:
    now = timezone.now()
    process_events(
        event("reopened", "m2", at=now.isoformat()),
        event("resolved", "m1", at=(now - timedelta(minutes=5)).isoformat()),
    )
    incident.refresh_from_db()
    assert incident.state == "open"


def test_our_own_writes_are_not_listened_to_and_what_people_do_makes_no_circle(
    incident: Incident, board: Board
) -> None:
    clock = ManualClock(timezone.now() + timedelta(minutes=1))
    process_events(event("resolved", by="us"))
    incident.refresh_from_db()
    assert incident.state == "open"
    process_events(event("resolved", "m2"))
    dispatch.dispatch_waiting(clock)
    written = len(board.writes)
    process_events(event("resolved", "m3", by="us"), event("resolved", "m4"))
    clock.move(hours=1)
    dispatch.dispatch_waiting(clock)
    assert len(board.writes) == written
    assert not Outbox.objects.exclude(state="done").exists()


def test_an_unknown_cause_is_written_down_and_confirms_nothing(incident: Incident) -> None:
    process_events(event("cause", value="gremlins"))
    assert not incident.feedback.exists()
    assert AuditEntry.objects.filter(action="unknown cause named in a ticket").exists()


@pytest.mark.parametrize(("path", "key"), [("wrong", KEY), (PATH, "wrong"), ("", KEY)])
def test_a_webhook_that_is_not_genuine_leaves_nothing(incident: Incident, path: str, key: str) -> None:
    assert call(event("resolved"), path=path, key=key).status_code == 401
    assert not InboundWebhook.objects.exists()


def test_a_ticket_system_without_any_webhook_secret_has_no_door(db: None, board: Board) -> None:
    declared(ticket=ticket(board))
    assert call(event("resolved"), path="").status_code == 401
    assert Client().post("/tickets/nobody/webhook", b"[]", content_type="application/json").status_code == 401
    assert Client().get("/tickets/ops/webhook").status_code == 405


def test_a_body_too_large_is_refused_and_one_that_nobody_understands_is_parked(incident: Incident) -> None:
    big = Client().post(f"/tickets/ops/webhook/{PATH}", b"x" * (2 * 1024 * 1024 + 1), content_type="application/json")
    assert big.status_code == 413
    process_events(event("dance"))
    body = b"{"
    signature = "sha256=" + hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    Client().post(
        f"/tickets/ops/webhook/{PATH}/", body, content_type="application/json", headers={"X-Hub-Signature": signature}
    )
    for webhook_id in ticket_events.waiting(timezone.now()):
        inbox.process(webhook_id)
    assert InboundWebhook.objects.get(state="parked").reason == "body: not a list of events"


def test_a_board_that_sends_no_webhooks_is_asked_now_and_then(db: None, board: Board) -> None:
    declared(ticket=ticket(board, account="us", poll_s=300))
    incident = an_incident()
    judged(incident)
    now = timezone.now() + timedelta(seconds=1)
    dispatch.dispatch_waiting(ManualClock(now))
    board.rule(error(500), times=1)
    assert inbox.poll(now) == 0, "it is away"
    board.items["B-1"]["done_by"] = "ada"
    assert inbox.poll(now + timedelta(seconds=60)) == 1
    asked = len(board.calls)
    assert inbox.poll(now + timedelta(seconds=100)) == 0 and len(board.calls) == asked
    assert inbox.poll(now + timedelta(seconds=400)) == 0 and len(board.calls) == asked + 1
    incident.refresh_from_db()
    assert incident.state == "resolved"


def test_what_people_did_is_asked_again_after_an_answer_that_nobody_expected(db: None, board: Board) -> None:
    declared(ticket=ticket(board, account="us", poll_s=300))
    judged(an_incident())
    now = timezone.now() + timedelta(seconds=1)
    dispatch.dispatch_waiting(ManualClock(now))
    board.items["B-1"]["done_by"] = "ada"
    board.rule(Fault(before=Answer(200, {"items": [{"no": "key"}]})), times=1)
    assert inbox.poll(now) == 0
    assert inbox.poll(now + timedelta(seconds=60)) == 1


def test_an_incident_that_its_alerts_resolved_stays_so_when_the_ticket_is_closed(incident: Incident) -> None:
    an_incident(state=AlertState.RESOLVED)
    incident.refresh_from_db()
    ended = incident.resolved_at
    process_events(event("resolved"))
    incident.refresh_from_db()
    assert (incident.resolved_at, incident.closed_at) == (ended, None)


def test_a_record_that_cannot_be_written_is_answered_503_and_the_secret_path_is_not_logged(
    incident: Incident, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notify_inboundwebhook RENAME TO out_of_reach")
    answer = call(event("resolved"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    shown = Formatter("%(message)s")
    assert caplog.records and not any(PATH in shown.format(record) for record in caplog.records)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=" + "0" * 40, "sha256=" + "é" * 64, "SHA256=" + "0" * 64])
def test_an_odd_signature_is_a_wrong_one(incident: Incident, signature: str) -> None:
    headers = {"X-Hub-Signature": signature}
    answer = Client().post(f"/tickets/ops/webhook/{PATH}", b"[]", content_type="application/json", headers=headers)
    assert answer.status_code == 401 and not InboundWebhook.objects.exists()


@pytest.mark.parametrize("path", ["", "%00", "%FF", "a/b", PATH.upper(), PATH + "x", "x" * 5000])
def test_an_odd_path_is_a_wrong_one(incident: Incident, path: str) -> None:
    assert call(event("resolved"), path=path).status_code in {401, 404} and not InboundWebhook.objects.exists()


def test_an_unknown_system_and_a_wrong_secret_are_refused_alike(incident: Incident) -> None:
    wrong = call(event("resolved"), key="other")
    unknown = Client().post(f"/tickets/nobody/webhook/{PATH}", b"[]", content_type="application/json")
    assert (unknown.status_code, unknown.content) == (wrong.status_code, wrong.content) == (401, wrong.content)
