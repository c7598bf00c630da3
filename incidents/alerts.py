"""Occurrences of alerts: which stored one a message is about, and when it ended."""

from datetime import datetime

from django.db.models import Q

from domain import codec
from domain.alerts import AlertState, ParsedAlert
from incidents.models import Alert, Delivery

# Which message tells most about an alert; what tells more replaces what tells less, in any order.
TELLS = {AlertState.UPDATE: 0, AlertState.RESOLVED: 1, AlertState.FIRING: 2}


def nearby_occurrences(delivery: Delivery, alert: ParsedAlert) -> list[Alert]:
    """Those of the alert's stored occurrences that the message can be about or can end, the oldest first."""
    began = alert.started_at
    near = Q(occurrence=alert.occurrence[:64]) | Q(firing=True) | Q(started_at__gt=began) | Q(ended_at__gt=began)
    same = Alert.objects.filter(near, source=delivery.source, identity=alert.identity[:200])
    return list(same.select_related("incident").order_by("started_at", "pk"))


def stored_occurrence(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert | None:
    """The stored occurrence that this message is about, brought up to date."""
    row = next((r for r in near if r.occurrence == alert.occurrence[:64]), None) or _occurrence_around(near, alert)
    if row is None:
        return None
    known = codec.decode(row.parsed, ParsedAlert)
    if TELLS[alert.state] >= TELLS[known.state]:
        row.parsed = codec.encode(alert)
        row.title, row.name = alert.title, alert.name[:300]
    if alert.state is AlertState.RESOLVED:
        row.firing = False
        # The earliest end: an end that was only inferred, from a later start or from arrival, is never too early.
        row.ended_at = min(filter(None, (row.ended_at, alert.ended_at)), default=delivery.received_at)
    if alert.started_at < row.started_at:
        row.started_at, row.occurrence = alert.started_at, alert.occurrence[:64]
    row.severity = max(row.severity, alert.severity.rank)
    row.last_seen_at = max(row.last_seen_at, delivery.received_at)
    return row


def _occurrence_around(near: list[Alert], alert: ParsedAlert) -> Alert | None:
    """Alertmanager's startsAt is not stable: a merged or resolved message may carry an earlier one.

    An end belongs to the open episode that began at or after its start; a start within a finished episode to that.
    """
    began = alert.started_at
    if alert.state is AlertState.RESOLVED:
        return next((r for r in near if r.firing and began <= r.started_at <= (alert.ended_at or r.started_at)), None)
    return next((r for r in near if not r.firing and r.started_at <= began < (r.ended_at or began)), None)


def end_merged(near: list[Alert], alert: ParsedAlert) -> None:
    """Every open episode that began between the start and the end of a resolved one was part of it."""
    if alert.ended_at is not None:
        _end_occurrences(
            [r for r in near if r.firing and alert.started_at <= r.started_at <= alert.ended_at], alert.ended_at
        )


def _end_occurrences(rows: list[Alert], at: datetime) -> None:
    if rows:
        Alert.objects.filter(pk__in=[r.pk for r in rows]).update(firing=False, ended_at=at)


def new_occurrence(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert:
    """A row for an occurrence that is not stored yet; it is saved once its incident is known."""
    later = next((r for r in near if r.started_at > alert.started_at), None)
    # One fingerprint cannot fire twice at once: a newer occurrence ends the older one that never said so.
    _end_occurrences([r for r in near if r.firing and r.started_at < alert.started_at], alert.started_at)
    firing = alert.state is not AlertState.RESOLVED and later is None
    ended = alert.ended_at or (delivery.received_at if alert.state is AlertState.RESOLVED else None)
    if later is not None:
        ended = min(filter(None, (ended, later.started_at)))
    return Alert(
        source=delivery.source, identity=alert.identity[:200], occurrence=alert.occurrence[:64],
        firing=firing, known_started=alert.state is AlertState.FIRING,
        name=alert.name[:300], title=alert.title, severity=alert.severity.rank,
        started_at=alert.started_at, ended_at=ended,
        last_seen_at=delivery.received_at, parsed=codec.encode(alert),
    )  # fmt: skip
