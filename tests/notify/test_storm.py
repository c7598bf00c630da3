"""How much is sent: what a chat gets of one incident, of many at once, and at what pace."""

from dataclasses import replace

import pytest

from domain.alerts import AlertState, Severity
from incidents import lifecycle
from incidents.models import Incident
from notify import dispatch, targets
from notify.models import Outbox
from tests.fakes.minimal_systems import SHOUT, Wall
from tests.fakes.server import error
from tests.notify.scene import ManualClock, an_incident, chat, declared, judged, row

pytestmark = pytest.mark.usefixtures("own_systems")


@pytest.mark.django_db
def test_a_chat_that_cannot_edit_gets_the_first_verdict_a_changed_cause_and_the_end(
    wall: Wall, clock: ManualClock
) -> None:
    declared(chat=chat(wall))
    incident = an_incident()
    for cause in ("etcd-slow-disk", "etcd-slow-disk", "network-path-drop", "network-path-drop"):
        judged(incident, cause)
        dispatch.dispatch_waiting(clock)
    lifecycle.acknowledge(incident, "ada")
    dispatch.dispatch_waiting(clock)
    an_incident(state=AlertState.RESOLVED)
    dispatch.dispatch_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict", "cause-changed", "resolved"]


@pytest.mark.django_db
def test_a_target_with_a_least_severity_gets_nothing_below_it(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall, min_severity="critical"))
    judged(an_incident())
    dispatch.dispatch_waiting(clock)
    assert wall.messages == [] and row().state == "done"


@pytest.mark.django_db
def test_nobody_is_notified_of_a_recording(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall))
    incident = an_incident()
    Incident.objects.filter(pk=incident.pk).update(recorded_from="/recorded")
    incident.refresh_from_db()
    Outbox.objects.all().delete()
    judged(incident)
    assert not Outbox.objects.exists()


@pytest.mark.django_db
def test_a_storm_becomes_one_message_that_lists_its_incidents(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(8):
        judged(an_incident(f"p{n}", severity=Severity.CRITICAL if n == 5 else Severity.HIGH))
    dispatch.dispatch_waiting(clock)
    (message,) = wall.messages
    worst = Incident.objects.get(title="p5 fails").number
    assert message["occasion"] == "digest" and message["listed"][0] == worst and len(message["listed"]) == 8
    assert set(Outbox.objects.values_list("state", flat=True)) == {"done"}
    judged(an_incident("late-1"))
    judged(an_incident("late-2"))
    clock.move(minutes=4)
    dispatch.dispatch_waiting(clock)
    assert len(wall.messages) == 1, "the next digest waits for its time"
    clock.move(minutes=2)
    dispatch.dispatch_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["digest", "verdict", "verdict"], "the storm is over"


@pytest.mark.django_db
def test_incidents_that_come_one_by_one_are_sent_one_by_one_up_to_the_storm(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(5):
        judged(an_incident(f"p{n}"))
        dispatch.dispatch_waiting(clock)
    assert [m["occasion"] for m in wall.messages] == ["verdict"] * 3
    clock.move(seconds=61)
    dispatch.dispatch_waiting(clock)
    assert [(m["occasion"], len(m["listed"])) for m in wall.messages[3:]] == [("digest", 2)]


@pytest.mark.django_db
def test_a_storm_that_meets_a_target_that_is_away_is_sent_afterwards(wall: Wall, clock: ManualClock) -> None:
    declared(chat=chat(wall, storm_incidents=3, storm_minutes=5.0))
    for n in range(8):
        judged(an_incident(f"p{n}"))
    wall.rule(error(500), times=1)
    for _ in range(40):
        dispatch.dispatch_waiting(clock)
        clock.move(seconds=30)
    listed = [number for message in wall.messages for number in message["listed"]]
    assert sorted(listed) == sorted(Incident.objects.values_list("number", flat=True))


@pytest.mark.django_db
def test_a_target_keeps_its_pace(wall: Wall, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "all_systems", lambda: {"shout": replace(SHOUT, every_s=3.0)})
    declared(chat=chat(wall))
    for n in range(4):
        judged(an_incident(f"p{n}"))
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        clock.move(seconds=seconds)

    dispatch.dispatch_waiting(clock, pause=pause)
    assert len(wall.messages) == 4 and waited == [3.0, 3.0, 3.0]
