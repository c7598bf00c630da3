"""Occurrences of alerts: which stored one a message is about, and when it ended."""

from datetime import datetime

from django.db.models import Q

from domain import codec
from domain.alerts import AlertState, ParsedAlert
from incidents.models import Alert, Delivery, Source

# The content of a message replaces what is stored if its state ranks at least as high, in whatever order they arrive.
PRECEDENCE = {AlertState.UPDATE: 0, AlertState.RESOLVED: 1, AlertState.FIRING: 2}


def nearby_occurrences(delivery: Delivery, alert: ParsedAlert) -> list[Alert]:
    """The alert's stored occurrences that the message may be about or may end, oldest first."""
    began = alert.started_at
    near = Q(occurrence=alert.occurrence[:64]) | Q(firing=True) | Q(started_at__gt=began) | Q(ended_at__gt=began)
    same = Alert.objects.filter(near, source=delivery.source, identity=alert.identity[:200])
    return list(same.select_related("incident").order_by("started_at", "pk"))


def occurrence_before(row: Alert) -> Alert | None:
    """The last occurrence of the same alert that began before this one, or with it, and is part of an incident."""
    same = Alert.objects.filter(source=row.source_id, identity=row.identity, incident__isnull=False)
    before = same.filter(started_at__lte=row.started_at).exclude(pk=row.pk)
    return before.select_related("incident").defer("parsed").order_by("-started_at", "-pk").first()


def latest_occurrence(source: Source, identity: str) -> Alert | None:
    """The newest stored occurrence of an alert, with its incident and its subject; None if there is none."""
    rows = Alert.objects.filter(source=source, identity=identity[:200]).select_related("incident", "subject")
    return rows.order_by("-started_at", "-pk").first()


def stored_occurrence(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert | None:
    """The stored occurrence that this message is about, updated but not saved; None if none is stored."""
    row = _occurrence_named(near, alert) or _occurrence_around(near, alert)
    if row is None:
        return None
    _update_content(row, alert)
    if alert.state is AlertState.RESOLVED:
        row.firing = False
        # The earliest end: an end that was only inferred, from a later start or from arrival, is never too early.
        row.ended_at = _earliest(row.ended_at, alert.ended_at) or delivery.received_at
    if alert.started_at < row.started_at:
        row.started_at, row.occurrence = alert.started_at, alert.occurrence[:64]
    row.severity = max(row.severity, alert.severity.rank)
    row.last_seen_at = max(row.last_seen_at, delivery.received_at)
    return row


def _occurrence_named(near: list[Alert], alert: ParsedAlert) -> Alert | None:
    return next((row for row in near if row.occurrence == alert.occurrence[:64]), None)


def _occurrence_around(near: list[Alert], alert: ParsedAlert) -> Alert | None:
    """The stored occurrence that the message belongs to by its times.

    Alertmanager's startsAt is not stable: a merged or resolved message may carry an earlier one.
    """
    if alert.state is AlertState.RESOLVED:
        return _occurrence_ended_by(near, alert)
    return _finished_occurrence_at(near, alert.started_at)


def _occurrence_ended_by(near: list[Alert], alert: ParsedAlert) -> Alert | None:
    """The firing occurrence that started between the start and the end of a resolved message."""
    for row in near:
        ended_at = alert.ended_at or row.started_at
        if row.firing and alert.started_at <= row.started_at <= ended_at:
            return row
    return None


def _finished_occurrence_at(near: list[Alert], at: datetime) -> Alert | None:
    """The finished occurrence that was firing at this time."""
    for row in near:
        if not row.firing and row.ended_at is not None and row.started_at <= at < row.ended_at:
            return row
    return None


def _update_content(row: Alert, alert: ParsedAlert) -> None:
    known = codec.decode(row.parsed, ParsedAlert)
    if PRECEDENCE[alert.state] >= PRECEDENCE[known.state]:
        row.parsed = codec.encode(alert)
        row.title, row.name = alert.title, alert.name[:300]


def end_merged(near: list[Alert], alert: ParsedAlert) -> bool:
    """End every firing occurrence that started between the start and the end of a resolved one: it was part of it.

    Whether there was one.
    """
    if alert.ended_at is None:
        return False
    merged = [row for row in near if row.firing and alert.started_at <= row.started_at <= alert.ended_at]
    _end_occurrences(merged, alert.ended_at)
    return bool(merged)


def _end_occurrences(rows: list[Alert], at: datetime) -> None:
    if rows:
        Alert.objects.filter(pk__in=[row.pk for row in rows]).update(firing=False, ended_at=at)


def new_occurrence(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert:
    """A row for an occurrence that is not stored yet; the caller saves it once its incident is known."""
    later = next((row for row in near if row.started_at > alert.started_at), None)
    # One fingerprint cannot fire twice at once: a newer occurrence ends an older one whose end was never reported.
    older = [row for row in near if row.firing and row.started_at < alert.started_at]
    _end_occurrences(older, alert.started_at)
    return Alert(
        source=delivery.source, identity=alert.identity[:200], occurrence=alert.occurrence[:64],
        firing=alert.state is not AlertState.RESOLVED and later is None,
        known_started=alert.state is AlertState.FIRING,
        name=alert.name[:300], title=alert.title, severity=alert.severity.rank,
        started_at=alert.started_at, ended_at=_known_end(alert, delivery.received_at, later),
        last_seen_at=delivery.received_at, parsed=codec.encode(alert),
    )  # fmt: skip


def _known_end(alert: ParsedAlert, received_at: datetime, later: Alert | None) -> datetime | None:
    """When a new occurrence ended, None while it fires.

    A resolved message without a time ended it on arrival, and the next occurrence ends it at the latest.
    """
    ended_at = alert.ended_at
    if ended_at is None and alert.state is AlertState.RESOLVED:
        ended_at = received_at
    if later is None:
        return ended_at
    return _earliest(ended_at, later.started_at)


def _earliest(*times: datetime | None) -> datetime | None:
    """The earliest of the times that are known, None if none is."""
    return min((time for time in times if time is not None), default=None)
