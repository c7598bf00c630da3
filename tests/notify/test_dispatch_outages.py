"""What cannot be sent: retried at a bearable pace, shown where a person is needed, and in nobody's way."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from incidents.models import Connection
from notify import dispatch, outbox, targets
from notify.models import Outbox, TargetStatus
from tests.fakes.minimal_systems import Board, Wall
from tests.fakes.server import error
from tests.notify.scene import ManualClock, an_incident, chat, declared, judged, row, ticket

pytestmark = pytest.mark.usefixtures("own_systems")


@pytest.mark.django_db
def test_two_hours_of_500_lose_nothing_and_end_with_one_attempt_a_minute(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    incidents = [an_incident(f"p{n}") for n in range(6)]
    for incident in incidents:
        judged(incident)
    board.rule(error(500))
    tried: dict[str, list[datetime]] = {}
    end = clock.now + timedelta(hours=2)
    while clock.now < end:
        before = len(board.calls)
        dispatch.dispatch_waiting(clock)
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
        dispatch.dispatch_waiting(clock)
        clock.move(seconds=5)
    assert len(board.items) == 6 and {r.state for r in Outbox.objects.all()} == {"done"}
    first = next(i for i in board.items.values() if i["incident"] == str(incidents[0].pk))
    assert first["revision"] == Outbox.objects.get(object=str(incidents[0].pk), target="ticket:ops").revision
    assert sum(call.method == "POST" and call.status == 201 for call in board.calls) == 6, "the newest revision only"


@pytest.mark.django_db
def test_a_refusal_stops_and_is_sent_again_on_demand(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    board.refuses = "no permission"
    for _ in range(3):
        dispatch.dispatch_waiting(clock)
        clock.move(hours=25)
    assert row().state == "dead" and "403" in row().reason and len(board.writes) == 1
    board.refuses = ""
    outbox.send_again(outbox.unsent(), clock())
    dispatch.dispatch_waiting(clock)
    assert row().state == "done" and row().reason == ""


@pytest.mark.django_db
def test_the_asked_wait_is_kept_for_the_whole_target(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    for name in ("p1", "p2"):
        judged(an_incident(name))
    board.rule(error(429, Retry_After="300"), times=1)
    dispatch.dispatch_waiting(clock)
    tried = len(board.calls)
    clock.move(seconds=290)
    dispatch.dispatch_waiting(clock)
    assert len(board.calls) == tried == 1
    clock.move(seconds=300)
    dispatch.dispatch_waiting(clock)
    assert len(board.items) == 2


@pytest.mark.django_db
def test_a_row_that_kills_every_worker_dies(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    judged(an_incident())
    for _ in range(outbox.LOST_TO_DIE + 1):
        outbox.claim([row().pk], clock())
        clock.move(seconds=131)
    assert row().state == "dead" and "no worker survived" in row().reason


@pytest.mark.django_db
def test_what_is_not_declared_any_more_is_shown_and_not_tried(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall))
    judged(an_incident())
    Connection.objects.filter(kind="chat").delete()
    dispatch.dispatch_waiting(clock)
    assert row().state == "dead" and "declare" in row().reason and wall.messages == []


@pytest.mark.django_db
def test_one_object_that_always_fails_does_not_hold_up_the_others(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    bad = an_incident("bad")
    judged(bad)
    board.rule(error(500), lambda call: str(bad.pk) in (call.params.get("incident", "") + call.body.decode()))
    for _ in range(30):
        dispatch.dispatch_waiting(clock)
        clock.move(seconds=61)
    assert TargetStatus.objects.get(name="ticket:ops").failures >= targets.FAILURES_TO_OPEN
    judged(an_incident("good"))
    for _ in range(3):
        clock.move(seconds=61)
        dispatch.dispatch_waiting(clock)
    assert [i["title"] for i in board.items.values()] == ["good fails"]


@pytest.mark.django_db
def test_a_declaration_of_another_version_holds_nobody_up(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall))
    Connection.objects.create(kind="ticket", name="old", config={"kind": "board", "name": "old", "colour": "blue"})
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    assert len(wall.messages) == 1 and list(targets.declared_targets()) == ["chat:on-call"]
