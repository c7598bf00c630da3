"""All writes of the record. Each function is one transaction; claims are conditional updates."""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from domain.alerts import ParsedAlert, ParsedDelivery
from domain.connections import Connections
from domain.errors import Refused
from domain.findings import Finding
from domain.verdict import Verdict, VerdictState
from incidents import outbox
from incidents.models import (
    AuditEntry,
    Change,
    Connection,
    Delivery,
    Entity,
    Feedback,
    Incident,
    Investigation,
    Source,
    TicketLink,
    VerdictRow,
)
from incidents.place import Things, place_alert, settle

MAX_ATTEMPTS = 5
LEASE = timedelta(seconds=130)
# SQLite has one writer, and the doors give up after 20 s: a long message leaves them room, more than they sleep between
# two attempts.
HOLD_S, ROOM_S, STEP = 1.0, 0.12, 20
# The first alert is looked at right away; what follows comes in a burst, and one look sees all of it.
DEBOUNCE = timedelta(milliseconds=1200)
LONGEST_BURST = timedelta(seconds=5)
# Scrapes, smoothed values and events come late: what the first look could not see yet, a second one does.
SECOND_LOOK = timedelta(seconds=90)
RUN_ADMITTED = "run admitted"


@dataclass(frozen=True, slots=True)
class _Step:
    """Some alerts of one delivery, and whether they are its last."""

    delivery: Delivery
    parsed: ParsedDelivery
    alerts: tuple[ParsedAlert, ...]
    last: bool


def hashed(token: str) -> str:
    """SHA-256 of a token; tokens are 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_source(kind: str, name: str, token: str = "") -> tuple[Source, str]:
    """A new source and its token, which is never readable again. Raises Refused when the name is taken."""
    token = token or secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            return Source.objects.create(kind=kind, name=name, token_hash=hashed(token)), token
    except IntegrityError as error:
        raise Refused(f"source {kind}/{name} exists; use `source rotate {name}` for a new token") from error


def rotate_source(source: Source, *, end_old: bool) -> str:
    """A second live token, the first stays until `end_old`."""
    if end_old:
        Source.objects.filter(pk=source.pk).update(old_token_hash="")
        return ""
    token = secrets.token_urlsafe(32)
    Source.objects.filter(pk=source.pk).update(old_token_hash=F("token_hash"), token_hash=hashed(token))
    return token


def token_fits(source: Source, token: str) -> bool:
    """Whether the token is one of the two live ones, in constant time."""
    given = hashed(token)
    first = hmac.compare_digest(given, source.token_hash)
    second = hmac.compare_digest(given, source.old_token_hash or "-" * 64)
    return first or second


def accept(source: Source, body: bytes, headers: dict[str, str], received_at: datetime) -> Delivery:
    """One durable inbox row."""
    return Delivery.objects.create(source=source, body=body, headers=headers, received_at=received_at)


def claim_deliveries(delivery_ids: Sequence[str]) -> list[Delivery]:
    """Those of the deliveries that wait and that nobody else has, in the order of their arrival."""
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    with transaction.atomic():
        waiting = Delivery.objects.select_for_update(of=("self",)).filter(free, pk__in=delivery_ids, state="new")
        mine = list(waiting.select_related("source").order_by("received_at", "pk"))
        Delivery.objects.filter(pk__in=[row.pk for row in mine]).update(
            claimed_until=now + LEASE, attempts=F("attempts") + 1
        )
    sources = {row.source_id: row.source for row in mine}
    for row in mine:
        row.claimed_until, row.attempts = now + LEASE, row.attempts + 1
        row.source = sources[row.source_id]  # what one of them has looked up the others know too
    return [row for row in mine if not _worn_out(row)]


def _worn_out(delivery: Delivery) -> bool:
    """Whoever tried before never reported back: a body that kills its worker must not be tried for ever."""
    if delivery.attempts <= MAX_ATTEMPTS:
        return False
    fail_delivery(delivery, f"no worker survived it in {MAX_ATTEMPTS} attempts")
    return True


def park(delivery: Delivery, reason: str) -> None:
    """Keep what cannot be understood, with the reason, for a person to look at."""
    Delivery.objects.filter(pk=delivery.pk).update(state="parked", reason=reason[:2000], claimed_until=None)


def replay_delivery(delivery: Delivery, by: str) -> None:
    """Put a parked or dead delivery back into the queue."""
    Delivery.objects.filter(pk=delivery.pk, state__in=["parked", "dead"]).update(
        state="new", reason="", attempts=0, claimed_until=None
    )
    audit(by, "replay delivery", str(delivery.pk))


def fail_delivery(delivery: Delivery, reason: str) -> None:
    """Another attempt later, or dead after the last."""
    state = "dead" if delivery.attempts >= MAX_ATTEMPTS else "new"
    wait = timezone.now() + timedelta(seconds=2**delivery.attempts)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, reason=reason[:2000], claimed_until=None if state == "dead" else wait
    )


def apply_burst(burst: Sequence[tuple[Delivery, ParsedDelivery]], connections: Connections) -> list[Incident]:
    """All alerts of these deliveries into the record and its incidents; marks them done.

    One transaction, or several where it would take longer than `HOLD_S`: the doors write to the same record. What an
    incident needs after its alerts is done once in each. What was placed before a fault is placed again later, which
    changes nothing.
    """
    steps = deque(step for delivery, parsed in burst for step in _steps(delivery, parsed))
    touched = _apply(steps, connections)
    while steps:
        time.sleep(ROOM_S)
        touched |= _apply(steps, connections)
    return list(touched.values())


def _steps(delivery: Delivery, parsed: ParsedDelivery) -> Iterator[_Step]:
    alerts = parsed.alerts
    for start in range(0, len(alerts) or 1, STEP):
        yield _Step(delivery, parsed, alerts[start : start + STEP], start + STEP >= len(alerts))


def _apply(steps: deque[_Step], connections: Connections) -> dict[str, Incident]:
    """As many steps as fit into one transaction; they are taken off. The incidents that they touched, by id."""
    with transaction.atomic():
        _one_at_a_time()
        things, until = Things(connections), time.monotonic() + HOLD_S
        touched: dict[str, Incident] = {}
        while steps:
            touched |= _place(steps.popleft(), things)
            if time.monotonic() > until:
                break
        for incident in touched.values():
            if settle(incident):
                outbox.want_all(incident, timezone.now())
            ask_investigation(incident)
        if steps:
            waiting = {step.delivery.pk for step in steps}
            Delivery.objects.filter(pk__in=waiting).update(claimed_until=timezone.now() + LEASE)
    return touched


def _place(step: _Step, things: Things) -> dict[str, Incident]:
    """The incidents that some alerts of a delivery are part of, by id; the last ones mark the delivery done."""
    delivery, parsed = step.delivery, step.parsed
    placed = [place_alert(delivery, alert, things) for alert in step.alerts]
    touched = {str(incident.pk): incident for incident in placed}
    delivery.incidents.add(*touched.values())
    for incident in touched.values():
        link_tickets(incident, parsed)
    if step.last:
        done = Delivery.objects.filter(pk=delivery.pk)
        done.update(state="done", reason="", claimed_until=None, missing=parsed.missing)
        Source.objects.filter(pk=delivery.source_id).update(last_delivery_at=delivery.received_at)
    return touched


def _one_at_a_time() -> None:
    """Grouping reads what it writes: on PostgreSQL one writer holds this row; SQLite has one writer anyway."""
    lock = {"kind": "lock", "name": "grouping"}
    if not Connection.objects.select_for_update().filter(**lock):
        Connection.objects.get_or_create(**lock, defaults={"config": {}})
        list(Connection.objects.select_for_update().filter(**lock))


def link_tickets(incident: Incident, parsed: ParsedDelivery) -> None:
    """Remember by which keys and labels this incident's tickets can be found."""
    keys = {*parsed.ticket_labels, *(key for alert in parsed.alerts for key in alert.ticket_keys)}
    TicketLink.objects.bulk_create(
        [TicketLink(incident=incident, key=key[:255]) for key in sorted(keys)], ignore_conflicts=True
    )


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
    outbox.remember([str(incident.pk)], now)


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
        as_of, msgspec.json.encode(list(findings)), answers
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


def save_verdict(incident: Incident, investigation: Investigation, verdict: Verdict) -> VerdictRow:
    """The next revision of the incident's verdict."""
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        Incident.objects.select_for_update().get(pk=incident.pk)
        revision = (incident.verdicts.aggregate(last=Max("revision"))["last"] or 0) + 1
        verdict = replace(verdict, revision=revision)
        row = VerdictRow.objects.create(
            incident=incident, investigation=investigation, revision=revision,
            body=msgspec.json.encode(verdict), created_at=now,
        )  # fmt: skip
        first = verdict.causes[0] if verdict.causes and verdict.state is not VerdictState.UNKNOWN else None
        Incident.objects.filter(pk=incident.pk).update(
            first_cause=first.cause if first else "", first_probability=first.probability if first else None,
            verdict_state=verdict.state.value, suggested_at=Coalesce("suggested_at", Value(now)),
        )  # fmt: skip
        outbox.tell_and_remember(incident, now)
    return row


def acknowledge(incident: Incident, by: str) -> None:
    """Somebody looks at it; the first one counts."""
    now = timezone.now()
    with transaction.atomic():
        won = Incident.objects.filter(pk=incident.pk, acknowledged_at__isnull=True).update(
            acknowledged_at=now, acknowledged_by=by[:150]
        )
        if won:
            audit(by, "acknowledge", str(incident.pk))
            outbox.want_all(incident, now)


def give_feedback(incident: Incident, by: str, kind: str, cause: str, fixed_by: str = "", note: str = "") -> Feedback:
    """Confirm, reject or correct a cause."""
    with transaction.atomic():
        row = Feedback.objects.create(
            incident=incident, by=by[:150], kind=kind, cause=cause, fixed_by=fixed_by[:300], note=note[:5000],
            at=timezone.now(),
        )  # fmt: skip
        audit(by, f"feedback {kind}", str(incident.pk), {"cause": cause})
        outbox.tell_and_remember(incident, row.at)
    return row


def add_change(
    kind: str, reference: str, title: str, at: datetime, entities: Iterable[Entity], url: str = ""
) -> Change:
    """A deploy, commit or configuration change; the same reference again changes it."""
    with transaction.atomic():
        change, _ = Change.objects.update_or_create(
            reference=reference[:200], defaults={"kind": kind, "title": title[:300], "at": at, "url": url}
        )
        change.entities.set(entities)
    return change


def audit(by: str, action: str, object_id: str = "", detail: dict[str, str] | None = None) -> None:
    """One line in the audit trail."""
    AuditEntry.objects.create(by=by[:150], action=action, object=object_id[:200], detail=detail or {})


def admit_run(cluster: str, rest_s: float, by: str) -> bool:
    """Whether a program may ask this etcd cluster now: not within `rest_s` seconds of the last time it might.

    The line in the audit trail is the claim, written before anything runs; two workers cannot both get it.
    """
    with transaction.atomic():
        # Locks on PostgreSQL; SQLite lets one writer in from the start of the transaction.
        list(Connection.objects.select_for_update().filter(kind="etcd", name=cluster))
        since = timezone.now() - timedelta(seconds=rest_s)
        if AuditEntry.objects.filter(action=RUN_ADMITTED, object=cluster[:200], at__gt=since).exists():
            return False
        audit(by, RUN_ADMITTED, cluster)
        return True
