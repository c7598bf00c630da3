"""When an incident is looked at: at once, then once for each burst, and again when late measurements are in."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from incidents import burst, deliveries, investigations, sources
from incidents.models import Incident, Investigation, Source

POD = EntityRef(EntityKind.POD, "cart-1", "prod", "shop")


def alerted(number: int) -> Incident:
    source = Source.objects.first() or sources.make_source("alertmanager", "prod")[0]
    now = timezone.now().astimezone(UTC)
    alert = ParsedAlert(
        f"f{number}", "1", AlertState.FIRING, "Probe", "probe fails", Severity.HIGH, now, entities=(POD,)
    )
    return burst.apply_burst([(deliveries.accept(source, b"{}", {}, now), ParsedDelivery((alert,)))], Connections())[0]


def looked(incident: Incident) -> Investigation:
    look = investigations.claim_investigation(incident.investigations.get(state="asked").pk)
    assert look is not None
    investigations.save_investigation(look, datetime.now(UTC), [], b"")
    return look


def waited(incident: Incident) -> None:
    """What is asked for is due now, as if its time had passed."""
    asked = Investigation.objects.get(incident=incident, state="asked")
    ago = asked.not_before - timezone.now() + timedelta(seconds=1)
    for row in Investigation.objects.filter(incident=incident):
        row.asked_at, row.not_before = row.asked_at - ago, row.not_before - ago
        row.save(update_fields=["asked_at", "not_before"])


def wait_s(incident: Incident) -> float:
    waiting = investigations.waiting_investigation(str(incident.pk))
    assert waiting is not None
    return waiting[1]


@pytest.mark.django_db
def test_the_first_alert_is_looked_at_at_once_and_a_burst_after_it_once() -> None:
    incident = alerted(1)
    assert wait_s(incident) == 0
    looked(incident)
    for number in range(2, 30):
        assert alerted(number) == incident
    waiting = Investigation.objects.get(incident=incident, state="asked")
    assert waiting.not_before - waiting.asked_at >= investigations.DEBOUNCE
    assert Investigation.objects.filter(incident=incident).count() == 2


@pytest.mark.django_db
def test_an_alert_makes_a_late_look_come_earlier() -> None:
    incident = alerted(1)
    investigations.ask_late_look(looked(incident))
    assert wait_s(incident) > 60
    alerted(2)
    assert wait_s(incident) <= investigations.DEBOUNCE.total_seconds()


@pytest.mark.django_db
def test_after_an_alert_that_made_it_come_earlier_the_late_look_still_comes() -> None:
    incident = alerted(1)
    investigations.ask_late_look(looked(incident))
    alerted(2)
    waited(incident)
    investigations.ask_late_look(looked(incident))
    assert wait_s(incident) > 60


@pytest.mark.django_db
def test_the_look_after_a_burst_waits_for_its_end_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    incident = alerted(1)
    looked(incident)
    alerted(2)
    asked = Investigation.objects.get(incident=incident, state="asked")
    later = timezone.now() + investigations.LONGEST_BURST
    monkeypatch.setattr(investigations.timezone, "now", lambda: later)
    alerted(3)
    moved = Investigation.objects.get(incident=incident, state="asked")
    assert moved.pk == asked.pk and moved.not_before == asked.asked_at + investigations.LONGEST_BURST


@pytest.mark.django_db
def test_the_late_looks_come_90_seconds_and_5_minutes_after_what_was_new() -> None:
    incident = alerted(1)
    investigations.ask_late_look(looked(incident))
    assert 80 < wait_s(incident) <= 90
    waited(incident)
    investigations.ask_late_look(looked(incident))
    assert 200 < wait_s(incident) <= 300
    waited(incident)
    investigations.ask_late_look(looked(incident))
    assert investigations.waiting_investigation(str(incident.pk)) is None


@pytest.mark.django_db
def test_no_incident_has_more_than_eight_looks_in_an_hour() -> None:
    incident = alerted(1)
    for number in range(2, 20):
        if wait_s(incident) > 60:
            break
        waited(incident)
        looked(incident)
        alerted(number)
    done = Investigation.objects.filter(incident=incident, state="done")
    assert done.count() == investigations.LOOKS_PER_HOUR
    assert wait_s(incident) > 3000, "what is new is looked at when the oldest look is an hour ago"
    done.order_by("as_of").filter(pk=done.order_by("as_of").first().pk).update(
        as_of=timezone.now() - timedelta(hours=2)
    )
    alerted(99)
    assert wait_s(incident) <= investigations.DEBOUNCE.total_seconds()


def of_severity(number: int, severity: int, waits_s: float = 1.0) -> Investigation:
    now = timezone.now()
    row = Incident.objects.create(number=number, title=f"i{number}", severity=severity, started_at=now, opened_at=now,
                                  last_alert_at=now)  # fmt: skip
    due = now - timedelta(seconds=waits_s)
    return Investigation.objects.create(incident=row, asked_at=due, not_before=due)


def taken(message: int) -> int | None:
    """Which look a message is used for."""
    claimed = investigations.claim_most_urgent(message)
    return claimed.pk if claimed else None


@pytest.mark.django_db
def test_of_a_backlog_the_worst_and_then_the_newest_is_looked_at_first() -> None:
    mild, older, newer = of_severity(1, 1, 1), of_severity(2, 4, 20), of_severity(3, 4, 10)
    assert [taken(mild.pk) for _ in range(4)] == [newer.pk, older.pk, mild.pk, None]


@pytest.mark.django_db
def test_what_waits_for_long_starves_not() -> None:
    of_severity(1, 4)
    long = of_severity(2, 0, 300)
    assert taken(0) == long.pk


@pytest.mark.django_db
def test_an_incident_that_is_being_looked_at_holds_up_no_other() -> None:
    worst, mild = of_severity(1, 4), of_severity(2, 1)
    assert taken(worst.pk) == worst.pk
    due = worst.not_before
    again = Investigation.objects.create(incident=worst.incident, asked_at=due, not_before=due)
    assert [taken(again.pk), taken(again.pk)] == [mild.pk, None]


@pytest.mark.django_db
def test_a_look_whose_worker_died_is_taken_up_again() -> None:
    lost = of_severity(1, 4)
    assert taken(lost.pk) == lost.pk
    Investigation.objects.filter(pk=lost.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert taken(lost.pk) == lost.pk
