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
    Investigation.objects.filter(pk=asked.pk).update(asked_at=asked.asked_at - ago, not_before=asked.not_before - ago)


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
def test_the_second_look_comes_once_and_an_alert_makes_it_come_earlier() -> None:
    incident = alerted(1)
    investigations.ask_second_look(looked(incident))
    assert wait_s(incident) > 60
    alerted(2)
    assert wait_s(incident) <= investigations.DEBOUNCE.total_seconds()


@pytest.mark.django_db
def test_after_an_alert_that_made_it_come_earlier_the_late_look_still_comes() -> None:
    incident = alerted(1)
    investigations.ask_second_look(looked(incident))
    alerted(2)
    waited(incident)
    investigations.ask_second_look(looked(incident))
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
def test_the_second_look_is_asked_for_once() -> None:
    incident = alerted(1)
    investigations.ask_second_look(looked(incident))
    waited(incident)
    investigations.ask_second_look(looked(incident))
    assert investigations.waiting_investigation(str(incident.pk)) is None
