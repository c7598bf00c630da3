"""Writes a past incident into the record: resolved, with its verdict and its confirmed cause."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from domain import codec
from domain.alerts import AlertState, ParsedAlert
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from domain.verdict import Verdict
from incidents import graph_queue
from incidents.correlate import next_number
from incidents.entities import store_entities, store_relations
from incidents.models import Alert, Feedback, Incident, Investigation, Source, VerdictRow

NAMESPACE = uuid.UUID("6f6b7a55-7f4c-4d36-9c2b-0f6d6f5f2b11")


@dataclass(frozen=True, slots=True)
class Past:
    """One past incident; `recurrence_of` names the recording that it repeats, `back` is how long before it that was."""

    title: str
    scope: Scope
    findings: tuple[Finding, ...]
    verdict: Verdict
    cause: str
    confirmed_by: str
    recurrence_of: str
    back: timedelta

    @property
    def id(self) -> uuid.UUID:
        """The same past incident has the same id, so loading twice adds nothing."""
        return uuid.uuid5(NAMESPACE, f"{self.recurrence_of}/{self.back.total_seconds()}")


@transaction.atomic
def remember_past(past: Past, source: Source) -> Incident | None:
    """Store the past incident; None if it is stored already."""
    if Incident.objects.filter(pk=past.id).exists():
        return None
    began, ended = past.scope.started_at - past.back, past.scope.as_of - past.back
    incident = Incident.objects.create(
        id=past.id, number=next_number(), title=past.title[:300], state="resolved", started_at=began, opened_at=began,
        last_alert_at=ended, resolved_at=ended, suggested_at=ended, recurrence_of=past.recurrence_of[:80],
        recorded_from=f"history/{past.recurrence_of}"[:500], first_cause=past.cause[:60],
        severity=max(a.severity.rank for a in past.scope.alerts), verdict_state=past.verdict.state.value,
    )  # fmt: skip
    store_relations(past.scope.relations, Text("a recorded incident names both"))
    incident.entities.set(store_entities(past.scope.entities).values())
    for alert in past.scope.alerts:
        _store_alert(past, alert, source, incident)
    _store_verdict(past, incident)
    graph_queue.put([str(incident.pk)], timezone.now())
    return incident


def _store_alert(past: Past, alert: ParsedAlert, source: Source, incident: Incident) -> None:
    began, ended = alert.started_at - past.back, past.scope.as_of - past.back
    resolved = replace(alert, state=AlertState.RESOLVED, started_at=began, ended_at=ended)
    row = Alert.objects.create(
        source=source, identity=f"{past.id}/{alert.identity}"[:200], occurrence=began.isoformat(), firing=False,
        name=alert.name[:300], title=alert.title, severity=alert.severity.rank, started_at=began, ended_at=ended,
        last_seen_at=ended, parsed=codec.encode(resolved), incident=incident,
    )  # fmt: skip
    row.entities.set(incident.entities.all())


def _store_verdict(past: Past, incident: Incident) -> None:
    """The verdict of that time, and the confirmed cause."""
    at = past.scope.as_of - past.back
    look = Investigation.objects.create(
        incident=incident, state="done", asked_at=at, not_before=at, as_of=at, finished_at=at,
        findings=codec.encode(past.findings),
    )  # fmt: skip
    verdict = replace(past.verdict, incident=str(incident.pk), as_of=at)
    VerdictRow.objects.create(
        incident=incident, investigation=look, revision=verdict.revision, body=codec.encode(verdict),
        created_at=at,
    )  # fmt: skip
    Feedback.objects.create(incident=incident, kind="confirmed", cause=past.cause, by=past.confirmed_by[:150], at=at)
