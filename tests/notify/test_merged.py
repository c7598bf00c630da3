"""What targets get of an incident that was merged into another one."""

import pytest

from domain.connections import TicketDecl
from incidents.models import Feedback, Incident
from notify import dispatch, ticket_events
from notify.models import Outbox
from tests.fakes.minimal_systems import Board, Wall
from tests.incidents.test_merging import CONNECTS, PODS, about, at, place
from tests.notify.scene import ManualClock, chat, declared, judged, ticket
from tickets.system import TicketEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_systems")]


def two_incidents(clock: ManualClock) -> tuple[Incident, Incident]:
    """Both are judged, and their targets know of them."""
    place(about(PODS[0]))
    place(about(PODS[1], 1))
    first, second = Incident.objects.order_by("number")
    for incident in (first, second):
        judged(incident)
    dispatch.dispatch_waiting(clock)
    return first, second


def sent(clock: ManualClock) -> None:
    clock.move(minutes=2)
    dispatch.dispatch_waiting(clock)


def test_a_ticket_gets_one_message_that_names_the_other_incident_and_none_after_it(
    board: Board, clock: ManualClock
) -> None:
    declared(ticket=ticket(board))
    first, second = two_incidents(clock)
    place(CONNECTS)
    sent(clock)
    item = next(i for i in board.items.values() if i["incident"] == str(second.pk))
    assert item["occasion"] == "merged" and len(board.items) == 2
    assert item["headline"].startswith("Merged into incident #1,")
    assert item["headline"].endswith(f"/incidents/{first.pk}/")
    other = next(i for i in board.items.values() if i["incident"] == str(first.pk))
    assert other["occasion"] == "updated"
    writes = len([call for call in board.calls if call.writes])
    judged(second, "dns-failure")
    sent(clock)
    assert len([call for call in board.calls if call.writes]) == writes
    assert not Outbox.objects.exclude(state="done").exists()


def test_a_chat_gets_one_message_too(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall))
    two_incidents(clock)
    before = len([call for call in wall.calls if call.writes])
    place(CONNECTS)
    sent(clock)
    assert len([call for call in wall.calls if call.writes]) == before + 1


def test_a_target_that_never_heard_of_it_gets_nothing(board: Board, clock: ManualClock) -> None:
    declared(ticket=ticket(board))
    place(about(PODS[0]))
    place(about(PODS[1], 1))
    place(CONNECTS)
    for incident in Incident.objects.all():
        judged(incident)
    dispatch.dispatch_waiting(clock)
    assert [item["incident"] for item in board.items.values()] == [str(Incident.objects.get(number=1).pk)]


def test_what_people_do_in_its_ticket_counts_for_the_other_incident_but_not_whether_it_is_over(
    board: Board, clock: ManualClock
) -> None:
    declaration: TicketDecl = ticket(board)
    declared(ticket=declaration)
    first, second = two_incidents(clock)
    key = next(key for key, item in board.items.items() if item["incident"] == str(second.pk))
    place(CONNECTS)

    def event(verb: str, minutes: int, value: str = "") -> bool:
        return ticket_events.apply("ticket:ops", TicketEvent(key, verb, "ada", at(minutes), f"{verb}{minutes}", value))

    assert [event("reopened", 10), event("resolved", 11)] == [False, False]
    assert event("assigned", 12, "bea") and event("cause", 13, "dns-failure")
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, first.assigned_to, second.state, second.assigned_to) == ("open", "bea", "resolved", "")
    assert Feedback.objects.get().incident == first
