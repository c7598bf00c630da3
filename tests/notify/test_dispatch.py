"""The outbox against fakes: one ticket whatever dies, the newest revision only, nothing written in a dry run."""

from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from connections import declare
from domain.alerts import AlertState
from domain.connections import Connections, SourceDecl, TicketDecl
from domain.errors import NotYet
from incidents.models import TicketLink
from notify import dispatch, outbox, targets
from notify.models import Outbox, RequestCount
from tests.fakes.minimal_systems import SHOUT, Board, Wall
from tests.fakes.process_kill import at_the_same_time, killed_at
from tests.fakes.server import late, lost_answer
from tests.notify.scene import ManualClock, an_incident, declared, judged, row, ticket

pytestmark = pytest.mark.usefixtures("own_systems")


@pytest.mark.django_db
def test_an_incident_becomes_one_item_that_follows_it(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    incident = an_incident()
    dispatch.dispatch_waiting(clock)
    assert board.items == {}, "nothing is sent before the first verdict"
    judged(incident)
    judged(incident, "network-path-drop")
    dispatch.dispatch_waiting(clock)
    an_incident(state=AlertState.RESOLVED)
    dispatch.dispatch_waiting(clock)
    (item,) = board.items.values()
    assert item["occasion"] == "resolved" and item["labels"] == ["ALERT{p1}", "B-1"]
    assert [call.method for call in board.writes] == ["POST", "PUT"]
    assert (row().state, row().key, row().sent_revision) == ("done", "B-1", row().revision)
    assert TicketLink.objects.get(key="B-1").target == "ticket:ops"
    assert {(c.target, c.code): c.count for c in RequestCount.objects.all()} == {
        ("ticket:ops", 200): 2, ("ticket:ops", 201): 1
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after_commit", [False, True])
def test_a_death_at_any_call_leaves_one_item(board: Board, clock: ManualClock, after_commit: bool) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    number = 1
    while killed_at(board, number, lambda: dispatch.dispatch_waiting(clock), after_commit=after_commit):
        clock.move(seconds=140)
        number += 1
        Outbox.objects.update(lost=0)
    assert number == 3
    assert len(board.items) == 1 and row().state == "done"


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [lost_answer(), late(0.6)])
def test_an_answer_that_is_lost_after_the_commit_makes_no_second_item(
    board: Board, clock: ManualClock, fault: Any
) -> None:
    declared(ticket=replace_timeout(ticket(board)))
    judged(an_incident())
    board.rule(fault, lambda call: call.method == "POST", times=1)
    dispatch.dispatch_waiting(clock)
    assert row().state == "waiting" and "board" in row().reason
    clock.move(minutes=1)
    dispatch.dispatch_waiting(clock)
    assert len(board.items) == 1 and row().state == "done"


def replace_timeout(declaration: TicketDecl) -> TicketDecl:
    return ticket_with(declaration, timeout_s=0.3)


def ticket_with(declaration: TicketDecl, **changes: Any) -> TicketDecl:
    fields = {name: getattr(declaration, name) for name in declaration.__struct_fields__}
    return TicketDecl(**{**fields, **changes})


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_incident_make_no_second_item(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    board.latency_s = 0.1
    pk = row().pk
    target = targets.declared_targets()["ticket:ops"]

    def work() -> None:
        dispatch.notify([pk], target, clock)
        connections.close_all()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(board.items) == 1 and len(board.writes) == 1 and row().attempts == 0


@pytest.mark.django_db
def test_a_revision_that_comes_while_one_is_sent_is_sent_next(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    incident = an_incident()
    judged(incident)
    (claimed,) = outbox.claim([row().pk], clock())
    judged(incident, "network-path-drop")
    assert outbox.claim([row().pk], clock()) == [], "one in flight"
    outbox.finish(claimed, clock())
    assert row().state == "waiting"
    dispatch.dispatch_waiting(clock)
    (item,) = board.items.values()
    assert item["headline"] == "It is network-path-drop"


@pytest.mark.django_db
def test_who_lost_the_claim_writes_nothing_any_more(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    (slow,) = outbox.claim([row().pk], clock())
    clock.move(seconds=131)
    dispatch.dispatch_waiting(clock)
    outbox.refuse(slow, "too late", clock())
    with pytest.raises(NotYet):
        outbox.StoredTargetState(slow).put(key="B-9")
    assert (row().state, row().memory) == ("done", {"key": "B-1"})


@pytest.mark.django_db
def test_a_dry_run_changes_nothing_and_shows_what_it_would_send(
    board: Board, clock: ManualClock, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("a-very-secret-token")
    declared(ticket=ticket_with(ticket(board), mode="dry-run", bearer_file=str(token)))
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    assert not board.writes and board.calls, "reads go through"
    (shown,) = row().preview
    assert shown["method"] == "POST" and shown["url"].endswith("/items") and '"verdict"' in shown["body"]
    assert row().memory == {} and not TicketLink.objects.filter(target="ticket:ops").exists()
    declared(ticket=ticket_with(ticket(board), bearer_file=str(token)))
    outbox.send_again(Outbox.objects.filter(pk=row().pk), clock())
    dispatch.dispatch_waiting(clock)
    (item,) = board.items.values()
    assert item["occasion"] == "verdict" and row().preview == []


@pytest.mark.django_db(transaction=True)
def test_two_processes_on_many_incidents_make_each_item_once(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    for n in range(30):
        judged(an_incident(f"p{n}"))
    assert at_the_same_time([lambda: dispatch.dispatch_waiting(clock)] * 2) == [0, 0]
    assert not outbox.unsent().exists()
    assert len(board.items) == 30 and len(board.writes) == 30
    assert {item["revision"] for item in board.items.values()} == {1}


@pytest.mark.django_db
def test_a_source_with_write_back_is_notified_too(
    wall: Wall, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("an-api-token-of-zabbix")
    monkeypatch.setattr(targets, "all_systems", lambda: {"zabbix": replace(SHOUT, kind="zabbix", section="source")})
    source = {"kind": "zabbix", "api_url": wall.url, "api_token_file": str(tmp_path / "token"), "mode": "send"}
    declare.declare(Connections(source=[
        SourceDecl(name="main", write_back=True, **source), SourceDecl(name="silent", **source)
    ]))  # fmt: skip
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict"]
    assert (row().target, row().state) == ("source:zabbix/main", "done")
