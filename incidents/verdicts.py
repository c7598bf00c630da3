"""Verdicts: each investigation adds a revision."""

from dataclasses import replace

from django.db import transaction
from django.db.models import Max, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from domain import codec
from domain.verdict import Verdict, VerdictState
from incidents import graph_queue
from incidents.models import Incident, Investigation, VerdictRow
from incidents.signals import incident_changed


def save_verdict(incident: Incident, investigation: Investigation, verdict: Verdict) -> VerdictRow:
    """Store the next revision of the incident's verdict."""
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        Incident.objects.select_for_update().get(pk=incident.pk)
        revision = (incident.verdicts.aggregate(last=Max("revision"))["last"] or 0) + 1
        verdict = replace(verdict, revision=revision)
        row = VerdictRow.objects.create(
            incident=incident, investigation=investigation, revision=revision,
            body=codec.encode(verdict), created_at=now,
        )  # fmt: skip
        first = verdict.causes[0] if verdict.causes and verdict.state is not VerdictState.UNKNOWN else None
        Incident.objects.filter(pk=incident.pk).update(
            first_cause=first.cause if first else "", first_probability=first.probability if first else None,
            verdict_state=verdict.state.value, suggested_at=Coalesce("suggested_at", Value(now)),
        )  # fmt: skip
        incident_changed.send(Incident, incident=incident, now=now)
        graph_queue.put([str(incident.pk)], now)
    return row
