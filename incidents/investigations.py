"""Investigations: asked for, claimed, saved or failed. A claim is a conditional update."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, F, Max, Q, When
from django.utils import timezone

from domain import codec
from domain.findings import Finding
from domain.verdict import Verdict
from incidents import graph_queue
from incidents.deliveries import LEASE, MAX_ATTEMPTS
from incidents.models import Incident, Investigation
from incidents.verdicts import save_verdict

# The first alert is investigated at once; alerts that follow in a burst share one later investigation.
DEBOUNCE = timedelta(milliseconds=1200)
LONGEST_BURST = timedelta(seconds=5)
# Scrapes, rates and events come late: later investigations see what was not measured yet at the first.
LATE_LOOKS = (timedelta(seconds=90), timedelta(minutes=5))
# A look that was put off for longer than a burst lasts is a late one.
LATE_LEAST = timedelta(seconds=60)
# No incident has more looks than this in an hour, whatever is sent: the one that would be too many waits.
LOOKS_PER_HOUR, HOUR = 8, timedelta(hours=1)
# A look that waited for so long comes before those of worse and newer incidents: none starves.
OVERDUE = timedelta(seconds=60)
# Workers that choose at the same time choose the same look; the losers choose again.
CLAIM_TRIES = 5


def ask_investigation(incident: Incident) -> None:
    """Ask for one investigation of the incident: the first at once, a later one when the burst of alerts is over.

    If one waits already, no other is asked for. It waits for the end of a burst, `LONGEST_BURST` at most.
    """
    now = timezone.now()
    waits, looks = Q(state="asked"), Investigation.objects.filter(incident=incident)
    known = looks.aggregate(
        looked=Count("pk", filter=~waits), asked_at=Max("asked_at", filter=waits), due=Max("not_before", filter=waits),
        recent=Count("pk", filter=Q(as_of__gt=now - HOUR)),
    )  # fmt: skip
    allowed = _allowed_at(incident, now, known["recent"])
    if known["due"] is None:
        _ask(incident, now, allowed or now + (DEBOUNCE if known["looked"] else timedelta()))
    elif known["looked"] and allowed is None:
        asked_at = known["asked_at"] if known["due"] <= now + DEBOUNCE else now
        looks.filter(waits).update(asked_at=asked_at, not_before=min(now + DEBOUNCE, asked_at + LONGEST_BURST))
    graph_queue.put([str(incident.pk)], now)


def ask_late_look(look: Investigation) -> None:
    """After a look at an open incident, ask for the next of its late ones: 90 s and 5 min after what was new.

    A new alert moves the waiting one forward, before the late measurements are in; then the late ones begin anew.
    """
    if not Incident.objects.filter(pk=look.incident_id, state="open").exists():
        return
    now, looks = timezone.now(), Investigation.objects.filter(incident=look.incident_id)
    known = looks.exclude(state="asked").aggregate(
        new_at=Max("asked_at", filter=Q(not_before__lt=F("asked_at") + LATE_LEAST)),
        recent=Count("pk", filter=Q(as_of__gt=now - HOUR)),
    )
    times = [(known["new_at"] or look.asked_at) + late for late in LATE_LOOKS]
    next_at = min((at for at in times if at > look.not_before), default=None)
    if next_at is not None:
        allowed = _allowed_at(look.incident, now, known["recent"]) or now
        _ask(look.incident, now, max(next_at, now + LATE_LEAST, allowed))


def _allowed_at(incident: Incident, now: datetime, recent: int) -> datetime | None:
    """When an incident with so many looks within the hour may be looked at again; None for at once."""
    if recent < LOOKS_PER_HOUR:
        return None
    within = Investigation.objects.filter(incident=incident, as_of__gt=now - HOUR).order_by("-as_of")
    oldest = within.values_list("as_of", flat=True)[LOOKS_PER_HOUR - 1]
    return oldest + HOUR if oldest else None


def _ask(incident: Incident, now: datetime, not_before: datetime) -> None:
    """Add a waiting row unless the incident has one."""
    Investigation.objects.bulk_create(
        [Investigation(incident=incident, asked_at=now, not_before=not_before)], ignore_conflicts=True
    )


def claim_most_urgent(investigation_id: int) -> Investigation | None:
    """Claim the look that a message for one is best used for: overdue ones first, then of the worst, then the newest.

    As many messages come as looks wait, so it does not matter which message brings which. None when none is due.
    """
    for _ in range(CLAIM_TRIES):
        candidate = _most_urgent() or investigation_id
        claimed = claim_investigation(candidate)
        if claimed or candidate == investigation_id:
            return claimed
    return None


def _most_urgent() -> int | None:
    """The look to take next; an incident that is being looked at waits, and holds up no other."""
    now = timezone.now()
    running = Investigation.objects.filter(state="running", claimed_until__gte=now).values("incident")
    due = Investigation.objects.filter(state="asked", not_before__lte=now).exclude(incident__in=running)
    overdue = Case(When(not_before__lte=now - OVERDUE, then=F("not_before")))
    order = (overdue.asc(nulls_last=True), "-incident__severity", "-not_before", "-pk")
    return due.order_by(*order).values_list("pk", flat=True).first()


def claim_investigation(investigation_id: int) -> Investigation | None:
    """Claim the investigation if it is due and no other of its incident runs; otherwise None."""
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
    """Store the findings and the recorded answers that they come from."""
    investigation.as_of, investigation.findings, investigation.answers = (
        as_of, codec.encode(list(findings)), answers
    )  # fmt: skip
    investigation.state, investigation.finished_at, investigation.claimed_until = "done", timezone.now(), None
    investigation.save()


def save_look(
    investigation: Investigation, as_of: datetime, findings: Iterable[Finding], answers: bytes, verdict: Verdict
) -> None:
    """Store a finished investigation with its verdict in one transaction, and ask for the next late one."""
    incident = investigation.incident
    with transaction.atomic():
        save_investigation(investigation, as_of, findings, answers)
        save_verdict(incident, investigation, verdict)
        if answers and not incident.recorded_from:
            ask_late_look(investigation)


def fail_investigation(investigation: Investigation, reason: str) -> None:
    """Schedule another attempt; dead after the last one, or if a newer investigation of the incident waits."""
    newer = Investigation.objects.filter(incident=investigation.incident_id, state="asked").exists()
    dead = newer or investigation.attempts >= MAX_ATTEMPTS
    # One that was cancelled meanwhile stays so.
    Investigation.objects.filter(pk=investigation.pk, state="running").update(
        state="dead" if dead else "asked",
        reason=reason[:2000],
        claimed_until=None,
        not_before=timezone.now() + timedelta(seconds=2**investigation.attempts),
    )


def cancel(incident: Incident, reason: str) -> None:
    """Give up the investigations of the incident that wait or run; what a running one finds is still stored."""
    waiting = Investigation.objects.filter(incident=incident, state__in=("asked", "running"))
    waiting.update(state="dead", reason=reason[:2000], claimed_until=None)


def latest_investigation(row: Incident) -> Investigation | None:
    """The newest finished investigation of the incident."""
    return Investigation.objects.filter(incident=row, state="done").order_by("-finished_at").first()


def due_investigations() -> list[int]:
    """Ids of investigations that may start."""
    now = timezone.now()
    due = Q(state="asked", not_before__lte=now) | Q(state="running", claimed_until__lt=now)
    rows = Investigation.objects.filter(due).order_by("-incident__severity", "-not_before")
    return list(rows.values_list("pk", flat=True)[:200])


def waiting_investigation(row_id: str) -> tuple[int, float] | None:
    """The one investigation of this incident that waits, and in how many seconds it is due."""
    row = Investigation.objects.filter(incident__pk=row_id, state="asked").first()
    return (row.pk, max(0.0, (row.not_before - timezone.now()).total_seconds())) if row else None
