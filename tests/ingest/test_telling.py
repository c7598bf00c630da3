"""The outbox against fakes: one ticket whatever dies, newest revision only, quiet, and everything after an outage."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from domain.alerts import AlertState, Severity
from domain.connections import Connections, SourceDecl, TicketDecl
from domain.errors import NotYet
from incidents import declare, outbox, record, targets
from incidents.models import Connection, Incident, Outbox, RequestCount, Target, TicketLink
from ingest import telling
from tests.fakes.board import BOARD, SHOUT, Board, Wall
from tests.fakes.dying import at_the_same_time, killed_at
from tests.fakes.server import error, late, lost_answer
from tests.ingest.told import Hands, an_incident, chat, declared, judged, ticket


@pytest.fixture
def clock() -> Hands:
    """Ahead of the record's own, so that what was just written is due."""
    return Hands(timezone.now() + timedelta(minutes=1))


@pytest.fixture(autouse=True)
def systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own systems in the place of those that are found by walking."""
    monkeypatch.setattr(targets, "all_systems", lambda: {"board": BOARD, "shout": SHOUT})


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as fake:
        yield fake


@pytest.fixture
def wall() -> Iterator[Wall]:
    with Wall() as fake:
        yield fake


def row() -> Outbox:
    return Outbox.objects.exclude(target="graph").get()


@pytest.mark.django_db
def test_an_incident_becomes_one_item_that_follows_it(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    incident = an_incident()
    telling.tell_waiting(clock)
    assert board.items == {}, "nothing is told before the first verdict"
    judged(incident)
    judged(incident, "network-path-drop")
    telling.tell_waiting(clock)
    an_incident(state=AlertState.RESOLVED)
    telling.tell_waiting(clock)
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
def test_a_death_at_any_call_leaves_one_item(board: Board, clock: Hands, after_commit: bool) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    number = 1
    while killed_at(board, number, lambda: telling.tell_waiting(clock), after_commit=after_commit):
        clock.move(seconds=140)
        number += 1
        Outbox.objects.exclude(target="graph").update(lost=0)
    assert number == 3
    assert len(board.items) == 1 and row().state == "done"


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [lost_answer(), late(0.6)])
def test_an_answer_that_is_lost_after_the_commit_makes_no_second_item(board: Board, clock: Hands, fault: Any) -> None:
    declared(ticket=replace_timeout(ticket(board)))
    judged(an_incident())
    board.rule(fault, lambda call: call.method == "POST", times=1)
    telling.tell_waiting(clock)
    assert row().state == "waiting" and "board" in row().reason
    clock.move(minutes=1)
    telling.tell_waiting(clock)
    assert len(board.items) == 1 and row().state == "done"


def replace_timeout(declaration: TicketDecl) -> TicketDecl:
    return ticket_with(declaration, timeout_s=0.3)


def ticket_with(declaration: TicketDecl, **changes: Any) -> TicketDecl:
    fields = {name: getattr(declaration, name) for name in declaration.__struct_fields__}
    return TicketDecl(**{**fields, **changes})


@pytest.mark.django_db
def test_two_hours_of_500_lose_nothing_and_end_with_one_attempt_a_minute(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    incidents = [an_incident(f"p{n}") for n in range(6)]
    for incident in incidents:
        judged(incident)
    board.rule(error(500))
    tried: dict[str, list[datetime]] = {}
    end = clock.now + timedelta(hours=2)
    while clock.now < end:
        before = len(board.calls)
        telling.tell_waiting(clock)
        for call in board.calls[before:]:
            tried.setdefault(str(call.params.get("incident")), []).append(clock.now)
        if clock.now.minute % 20 == 0 and clock.now.second < 5:
            judged(incidents[0], f"cause-{clock.now.minute}")
        clock.move(seconds=5)
    last_hour = [[t for t in times if t > end - timedelta(hours=1)] for times in tried.values()]
    assert all((later - sooner).total_seconds() >= 59 for times in last_hour for sooner, later in pairwise(times))
    assert sum(map(len, last_hour)) <= 61, "a target that is away is tried once a minute, whatever waits"
    board.heal()
    until = clock.now + timedelta(minutes=2)
    while clock.now < until:
        telling.tell_waiting(clock)
        clock.move(seconds=5)
    assert len(board.items) == 6 and {r.state for r in Outbox.objects.exclude(target="graph")} == {"done"}
    first = next(i for i in board.items.values() if i["incident"] == str(incidents[0].pk))
    assert first["revision"] == Outbox.objects.get(object=str(incidents[0].pk), target="ticket:ops").revision
    assert sum(call.method == "POST" and call.status == 201 for call in board.calls) == 6, "the newest revision only"


@pytest.mark.django_db
def test_a_refusal_stops_and_is_sent_again_on_demand(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    board.refuses = "no permission"
    for _ in range(3):
        telling.tell_waiting(clock)
        clock.move(hours=25)
    assert row().state == "dead" and "403" in row().reason and len(board.writes) == 1
    board.refuses = ""
    outbox.send_again(outbox.unsent(), clock())
    telling.tell_waiting(clock)
    assert row().state == "done" and row().reason == ""


@pytest.mark.django_db
def test_the_asked_wait_is_kept_for_the_whole_target(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    for name in ("p1", "p2"):
        judged(an_incident(name))
    board.rule(error(429, Retry_After="300"), times=1)
    telling.tell_waiting(clock)
    tried = len(board.calls)
    clock.move(seconds=290)
    telling.tell_waiting(clock)
    assert len(board.calls) == tried == 1
    clock.move(seconds=300)
    telling.tell_waiting(clock)
    assert len(board.items) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_incident_make_no_second_item(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    board.latency_s = 0.1
    pk = row().pk
    addressee = targets.addressees()["ticket:ops"]

    def work() -> None:
        telling.tell([pk], addressee, clock)
        connections.close_all()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(board.items) == 1 and len(board.writes) == 1 and row().attempts == 0


@pytest.mark.django_db
def test_a_revision_that_comes_while_one_is_sent_is_sent_next(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    incident = an_incident()
    judged(incident)
    (claimed,) = outbox.claim([row().pk], clock())
    judged(incident, "network-path-drop")
    assert outbox.claim([row().pk], clock()) == [], "one in flight"
    outbox.finish(claimed, clock())
    assert row().state == "waiting"
    telling.tell_waiting(clock)
    (item,) = board.items.values()
    assert item["headline"] == "It is network-path-drop"


@pytest.mark.django_db
def test_who_lost_the_claim_writes_nothing_any_more(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    (slow,) = outbox.claim([row().pk], clock())
    clock.move(seconds=131)
    telling.tell_waiting(clock)
    outbox.refuse(slow, "too late", clock())
    with pytest.raises(NotYet):
        outbox.KeptMemory(slow).put(key="B-9")
    assert (row().state, row().memory) == ("done", {"key": "B-1"})


@pytest.mark.django_db
def test_a_row_that_kills_every_worker_dies(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    for _ in range(outbox.LOST_TO_DIE + 1):
        outbox.claim([row().pk], clock())
        clock.move(seconds=131)
    assert row().state == "dead" and "no worker survived" in row().reason


@pytest.mark.django_db
def test_a_dry_run_changes_nothing_and_shows_what_it_would_send(board: Board, clock: Hands, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-very-secret-token")
    declared(ticket=ticket_with(ticket(board), mode="dry-run", bearer_file=str(token)))
    judged(an_incident())
    telling.tell_waiting(clock)
    assert not board.writes and board.calls, "reads go through"
    (shown,) = row().preview
    assert shown["method"] == "POST" and shown["url"].endswith("/items") and '"verdict"' in shown["body"]
    assert row().memory == {} and not TicketLink.objects.filter(target="ticket:ops").exists()
    declared(ticket=ticket_with(ticket(board), bearer_file=str(token)))
    outbox.send_again(Outbox.objects.filter(pk=row().pk), clock())
    telling.tell_waiting(clock)
    (item,) = board.items.values()
    assert item["occasion"] == "verdict" and row().preview == []


@pytest.mark.django_db
def test_a_chat_that_cannot_edit_hears_of_the_first_verdict_a_changed_cause_and_the_end(
    wall: Wall, clock: Hands
) -> None:
    declared(chat=chat(wall))
    incident = an_incident()
    for cause in ("etcd-slow-disk", "etcd-slow-disk", "network-path-drop", "network-path-drop"):
        judged(incident, cause)
        telling.tell_waiting(clock)
    record.acknowledge(incident, "ada")
    telling.tell_waiting(clock)
    an_incident(state=AlertState.RESOLVED)
    telling.tell_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict", "cause-changed", "resolved"]


@pytest.mark.django_db
def test_a_target_with_a_least_severity_is_told_of_nothing_below_it(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall, min_severity="critical"))
    judged(an_incident())
    telling.tell_waiting(clock)
    assert wall.messages == [] and row().state == "done"


@pytest.mark.django_db
def test_nobody_is_told_of_a_recording(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall))
    incident = an_incident()
    Incident.objects.filter(pk=incident.pk).update(recorded_from="/recorded")
    incident.refresh_from_db()
    Outbox.objects.exclude(target="graph").delete()
    judged(incident)
    assert not Outbox.objects.exclude(target="graph").exists()


@pytest.mark.django_db
def test_what_is_not_declared_any_more_is_shown_and_not_tried(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall))
    judged(an_incident())
    Connection.objects.filter(kind="chat").delete()
    telling.tell_waiting(clock)
    assert row().state == "dead" and "declare" in row().reason and wall.messages == []


@pytest.mark.django_db
def test_one_object_that_always_fails_does_not_hold_up_the_others(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    bad = an_incident("bad")
    judged(bad)
    board.rule(error(500), lambda call: str(bad.pk) in (call.params.get("incident", "") + call.body.decode()))
    for _ in range(30):
        telling.tell_waiting(clock)
        clock.move(seconds=61)
    assert Target.objects.get(name="ticket:ops").failures >= targets.FAILURES_TO_OPEN
    judged(an_incident("good"))
    for _ in range(3):
        clock.move(seconds=61)
        telling.tell_waiting(clock)
    assert [i["title"] for i in board.items.values()] == ["good fails"]


@pytest.mark.django_db
def test_a_storm_becomes_one_message_that_lists_its_incidents(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(8):
        judged(an_incident(f"p{n}", severity=Severity.CRITICAL if n == 5 else Severity.HIGH))
    telling.tell_waiting(clock)
    (message,) = wall.messages
    worst = Incident.objects.get(title="p5 fails").number
    assert message["occasion"] == "digest" and message["listed"][0] == worst and len(message["listed"]) == 8
    assert set(Outbox.objects.exclude(target="graph").values_list("state", flat=True)) == {"done"}
    judged(an_incident("late-1"))
    judged(an_incident("late-2"))
    clock.move(minutes=4)
    telling.tell_waiting(clock)
    assert len(wall.messages) == 1, "the next digest waits for its time"
    clock.move(minutes=2)
    telling.tell_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["digest", "verdict", "verdict"], "the storm is over"


@pytest.mark.django_db
def test_incidents_that_come_one_by_one_are_told_one_by_one_up_to_the_storm(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(5):
        judged(an_incident(f"p{n}"))
        telling.tell_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict"] * 3
    clock.move(seconds=61)
    telling.tell_waiting(clock)
    assert [(m["occasion"], len(m["listed"])) for m in wall.messages[3:]] == [("digest", 2)]


@pytest.mark.django_db
def test_a_storm_that_meets_a_target_that_is_away_is_told_afterwards(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(8):
        judged(an_incident(f"p{n}"))
    wall.rule(error(500), times=1)
    for _ in range(40):
        telling.tell_waiting(clock)
        clock.move(seconds=30)
    listed = [number for message in wall.messages for number in message["listed"]]
    assert sorted(listed) == sorted(Incident.objects.values_list("number", flat=True))


@pytest.mark.django_db
def test_a_target_keeps_its_pace(wall: Wall, clock: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "all_systems", lambda: {"shout": replace(SHOUT, every_s=3.0)})
    declared(chat=chat(wall))
    for n in range(4):
        judged(an_incident(f"p{n}"))
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        clock.move(seconds=seconds)

    telling.tell_waiting(clock, pause=pause)
    assert len(wall.messages) == 4 and waited == [3.0, 3.0, 3.0]


@pytest.mark.django_db(transaction=True)
def test_two_processes_on_many_incidents_make_each_item_once(board: Board, clock: Hands) -> None:
    declared(ticket=ticket(board))
    for n in range(30):
        judged(an_incident(f"p{n}"))
    assert at_the_same_time([lambda: telling.tell_waiting(clock)] * 2) == [0, 0]
    assert not outbox.unsent().exists()
    assert len(board.items) == 30 and len(board.writes) == 30
    assert {item["revision"] for item in board.items.values()} == {1}


@pytest.mark.django_db
def test_a_source_with_write_back_is_told_too(
    wall: Wall, clock: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("an-api-token-of-zabbix")
    monkeypatch.setattr(targets, "all_systems", lambda: {"zabbix": replace(SHOUT, kind="zabbix", section="source")})
    source = {"kind": "zabbix", "api_url": wall.url, "api_token_file": str(tmp_path / "token"), "mode": "send"}
    declare.declare(Connections(source=[
        SourceDecl(name="main", write_back=True, **source), SourceDecl(name="silent", **source)
    ]))  # fmt: skip
    judged(an_incident())
    telling.tell_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict"]
    assert (row().target, row().state) == ("source:zabbix/main", "done")


@pytest.mark.django_db
def test_a_declaration_of_another_version_holds_nobody_up(wall: Wall, clock: Hands) -> None:
    declared(chat=chat(wall))
    Connection.objects.create(kind="ticket", name="old", config={"kind": "board", "name": "old", "colour": "blue"})
    judged(an_incident())
    telling.tell_waiting(clock)
    assert len(wall.messages) == 1 and list(targets.addressees()) == ["chat:on-call"]
