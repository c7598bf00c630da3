"""What is forgotten and what is not: nothing that an open or lately resolved incident came from."""

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from domain.alerts import AlertState
from incidents import deliveries, investigations, retention, sources
from incidents.models import Alert, Delivery, Incident, Investigation, Source, VerdictRow
from ingest import tasks
from notify import retention as notify_retention
from notify import ticket_events
from notify.models import AppliedTicketEvent, InboundWebhook
from tests.notify.scene import an_incident, judged

pytestmark = pytest.mark.django_db
NOW = timezone.now()
KEEP = retention.Keep(answers=timedelta(days=30), deliveries=timedelta(days=60))


def forget() -> dict[str, int]:
    """What both rooms forget."""
    return retention.forget(KEEP, NOW) | notify_retention.forget(KEEP.deliveries, NOW)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def an_old_incident(name: str, *, resolved_days_ago: float | None = 100) -> Incident:
    """One alert, one look with answers, one verdict, one webhook of its ticket; all but the end 120 days ago."""
    incident = an_incident(name, at=days_ago(120))
    look = investigations.claim_investigation(incident.investigations.get(state="asked").pk)
    assert look is not None
    investigations.save_investigation(look, days_ago(120), [], b"packed answers")
    judged(incident)
    if resolved_days_ago is not None:
        an_incident(name, AlertState.RESOLVED, at=days_ago(120))
        Incident.objects.filter(pk=incident.pk).update(state="resolved", resolved_at=days_ago(resolved_days_ago))
    Investigation.objects.filter(incident=incident).update(finished_at=days_ago(120))
    ticket_events.accept("ticket:ops", b"{}", {}, days_ago(120))
    InboundWebhook.objects.update(state="done")
    AppliedTicketEvent.objects.create(
        target="ticket:ops", marker=name, incident=incident, verb="assigned", by="bo", at=days_ago(120)
    )
    return incident


def test_an_incident_long_over_keeps_its_alerts_findings_and_verdicts_alone() -> None:
    incident = an_old_incident("p1")
    assert forget() == {"answers": 1, "deliveries": 2, "webhooks": 1, "ticket_events": 1, "login_failures": 0}
    assert (
        not Delivery.objects.exists()
        and not InboundWebhook.objects.exists()
        and not AppliedTicketEvent.objects.exists()
    )
    look = incident.investigations.get(state="done")
    assert bytes(look.answers) == b"" and bytes(look.findings) == b"[]"
    assert VerdictRow.objects.get(incident=incident).body and Alert.objects.get(incident=incident).parsed
    assert not any(forget().values())


@pytest.mark.parametrize("resolved_days_ago", [None, 1, 29])
def test_nothing_goes_that_an_open_or_lately_resolved_incident_needs(resolved_days_ago: float | None) -> None:
    incident = an_old_incident("p1", resolved_days_ago=resolved_days_ago)
    before = Delivery.objects.count()
    assert forget() | {"webhooks": 0} == {
        "answers": 0,
        "deliveries": 0,
        "webhooks": 0,
        "ticket_events": 0,
        "login_failures": 0,
    }
    assert Delivery.objects.count() == before
    assert bytes(incident.investigations.get(state="done").answers) == b"packed answers"


def test_answers_and_deliveries_have_each_their_own_time() -> None:
    an_old_incident("p1", resolved_days_ago=45)
    assert forget() | {"webhooks": 0} == {
        "answers": 1,
        "deliveries": 0,
        "webhooks": 0,
        "ticket_events": 0,
        "login_failures": 0,
    }


def test_a_delivery_shared_with_an_open_incident_stays() -> None:
    over, still_open = an_old_incident("p1"), an_old_incident("p2", resolved_days_ago=None)
    shared = over.deliveries.order_by("pk").first()
    assert shared is not None
    still_open.deliveries.add(shared)
    forget()
    assert Delivery.objects.filter(pk=shared.pk).exists() and over.deliveries.count() == 1


@pytest.mark.parametrize("state", ["new", "parked", "dead"])
def test_what_waits_for_a_worker_or_a_person_stays_however_old(state: str) -> None:
    source = sources.make_source("alertmanager", "prod")[0]
    row = deliveries.accept(source, b"{}", {}, days_ago(400))
    Delivery.objects.filter(pk=row.pk).update(state=state)
    event = ticket_events.accept("ticket:ops", b"{}", {}, days_ago(400))
    InboundWebhook.objects.filter(pk=event.pk).update(state=state)
    forget()
    assert Delivery.objects.exists() and InboundWebhook.objects.exists()


def test_a_backlog_goes_in_batches_and_stops_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    source: Source = sources.make_source("alertmanager", "prod")[0]
    for _ in range(7):
        deliveries.accept(source, b"{}", {}, days_ago(400))
    Delivery.objects.update(state="done")
    turns = iter([True, True, True, False])
    assert retention.forget(KEEP, NOW, lambda: next(turns, False))["deliveries"] == 4
    assert Delivery.objects.count() == 3


def test_the_task_keeps_rows_as_long_as_the_settings_and_beat_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    an_old_incident("p1", resolved_days_ago=95)
    monkeypatch.setattr(settings, "KEEP_ANSWERS_DAYS", 100)
    tasks.forget()
    assert not Delivery.objects.exists()
    assert Investigation.objects.exclude(answers=b"").exists()
    assert "ingest.tasks.forget" in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
