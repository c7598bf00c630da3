"""Investigations: asked for, claimed, saved or failed. Claims are conditional updates."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from domain import codec
from domain.findings import Finding
from domain.verdict import Verdict
from incidents import graph_queue
from incidents.deliveries import LEASE, MAX_ATTEMPTS
from incidents.models import (
    Incident,
    Investigation,
)
from incidents.verdicts import save_verdict

# The first alert is looked at right away; what follows comes in a burst, and one look sees all of it.
DEBOUNCE = timedelta(milliseconds=1200)
LONGEST_BURST = timedelta(seconds=5)
# Scrapes, smoothed values and events come late: what the first look could not see yet, a second one does.
SECOND_LOOK = timedelta(seconds=90)


def ask_investigation(incident: Incident) -> None:
    """Ask for one look at the incident: the first one at once, later ones when the burst of alerts is over.

    While one waits, that one will see this too; it does not wait for the end of a burst longer than a few seconds.
    """
    now = timezone.now()
    waits, looks = Q(state="asked"), Investigation.objects.filter(incident=incident)
    known = looks.aggregate(
        looked=Count("pk", filter=~waits), asked_at=Max("asked_at", filter=waits), due=Max("not_before", filter=waits)
    )
    if known["due"] is None:
        _ask(incident, now, now + (DEBOUNCE if known["looked"] else timedelta()))
    elif known["looked"]:
        asked_at = known["asked_at"] if known["due"] <= now + DEBOUNCE else now
        looks.filter(waits).update(asked_at=asked_at, not_before=min(now + DEBOUNCE, asked_at + LONGEST_BURST))
    graph_queue.put([str(incident.pk)], now)


def ask_second_look(look: Investigation) -> None:
    """After a look at an open incident, one more when late measurements are in; that one asks for no further.

    An alert meanwhile makes it come earlier, and then the measurements are not in yet: the late one is asked for again.
    """
    late = look.not_before - look.asked_at >= SECOND_LOOK
    if not late and Incident.objects.filter(pk=look.incident_id, state="open").exists():
        now = timezone.now()
        _ask(look.incident, now, now + SECOND_LOOK)


def _ask(incident: Incident, now: datetime, not_before: datetime) -> None:
    """One waiting row per incident; where one waits already, that one stays."""
    Investigation.objects.bulk_create(
        [Investigation(incident=incident, asked_at=now, not_before=not_before)], ignore_conflicts=True
    )


def claim_investigation(investigation_id: int) -> Investigation | None:
    """The investigation, if it is due and no other of its incident runs."""
    now = timezone.now()
    due = Q(state="asked", not_before__lte=now) | Q(state="running", claimed_until__lt=now)
    try:
        with transaction.atomic():
            won = Investigation.objects.filter(due, pk=investigation_id).update(
                state="running", as_of=now, claimed_until=now + LEASE, attempts=F("attempts") + 1
            )
    except IntegrityError:
        return None
    if not won:
        return None
    investigation = Investigation.objects.select_related("incident").get(pk=investigation_id)
    if investigation.attempts > MAX_ATTEMPTS:
        fail_investigation(investigation, f"no worker survived it in {MAX_ATTEMPTS} attempts")
        return None
    return investigation


def save_investigation(
    investigation: Investigation, as_of: datetime, findings: Iterable[Finding], answers: bytes
) -> None:
    """What was found and every answer that it rests on."""
    investigation.as_of, investigation.findings, investigation.answers = (
        as_of, codec.encode(list(findings)), answers
    )  # fmt: skip
    investigation.state, investigation.finished_at, investigation.claimed_until = "done", timezone.now(), None
    investigation.save()


def save_look(
    investigation: Investigation, as_of: datetime, findings: Iterable[Finding], answers: bytes, verdict: Verdict
) -> None:
    """A finished look with its verdict, in one transaction; one with answers asks for the second."""
    incident = investigation.incident
    with transaction.atomic():
        save_investigation(investigation, as_of, findings, answers)
        save_verdict(incident, investigation, verdict)
        if answers and not incident.recorded_from:
            ask_second_look(investigation)


def fail_investigation(investigation: Investigation, reason: str) -> None:
    """Another attempt after the lease, or dead after the last; a newer one that waits makes it needless."""
    newer = Investigation.objects.filter(incident=investigation.incident_id, state="asked").exists()
    dead = newer or investigation.attempts >= MAX_ATTEMPTS
    Investigation.objects.filter(pk=investigation.pk).update(
        state="dead" if dead else "asked",
        reason=reason[:2000],
        claimed_until=None,
        not_before=timezone.now() + timedelta(seconds=2**investigation.attempts),
    )
