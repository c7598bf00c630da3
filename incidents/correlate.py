"""Which incident an alert belongs to, and the state that follows for the incident. Called inside one transaction."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from domain import codec
from domain.alerts import AlertState, ParsedAlert
from domain.entities import Relation, RelationKind
from incidents.alerts import end_merged, nearby_occurrences, new_occurrence, stored_occurrence
from incidents.entities import EntityCache
from incidents.grouping import Candidate, Newcomer, Rules, group
from incidents.models import Alert, Delivery, Entity, EntityRelation, Incident

RULES = Rules()
CANDIDATES = 200
SETTLED = ("state", "severity", "started_at", "last_alert_at", "resolved_at", "closed_at", "reopened")


def place_alert(delivery: Delivery, alert: ParsedAlert, things: EntityCache) -> Incident:
    """The incident that the alert is part of, opened if none fits."""
    near = nearby_occurrences(delivery, alert)
    row = stored_occurrence(near, delivery, alert) or new_occurrence(near, delivery, alert)
    if alert.state is AlertState.RESOLVED:
        end_merged(near, alert)
    stored = things.of(alert)
    incident = row.incident or _join(row, alert, stored, delivery)
    row.save()
    row.entities.add(*stored.values())
    things.join(incident, stored)
    if alert.acknowledged and incident.acknowledged_at is None:
        Incident.objects.filter(pk=incident.pk).update(
            acknowledged_at=delivery.received_at, acknowledged_by=str(delivery.source)
        )
    return incident


def _join(row: Alert, alert: ParsedAlert, entities: Mapping[str, Entity], delivery: Delivery) -> Incident:
    keys = frozenset(e.key for e in entities.values())
    recorded = delivery.source.recorded_from
    newcomer = Newcomer(keys, alert.started_at, _earlier(row))
    alive = _alive(newcomer, recorded)
    decision = group(newcomer, [_candidate(i) for i in alive.values()], _relations(keys), RULES)
    row.incident = alive.get(decision.incident) or _open(alert, delivery.received_at, recorded)
    row.joined_because = codec.to_builtins(decision.reason)
    return row.incident


def _earlier(row: Alert) -> str:
    """The incident of the newest other occurrence of the alert, empty when there is none."""
    others = Alert.objects.filter(source=row.source_id, identity=row.identity, incident__isnull=False)
    newest = others.exclude(pk=row.pk).order_by("-started_at").values_list("incident_id", flat=True).first()
    return str(newest or "")


def _alive(newcomer: Newcomer, recorded: str) -> dict[str, Incident]:
    """Incidents that may be joined, without those that were quiet for too long already.

    A recording keeps to itself: its world is not this one.
    """
    at = newcomer.started_at
    alive = Q(state="open", last_alert_at__gte=at - RULES.window) | Q(resolved_at__gte=at - RULES.reopen_window)
    if newcomer.earlier_incident:
        alive |= Q(pk=newcomer.earlier_incident)
    fitting = Incident.objects.filter(alive, recorded_from=recorded).order_by("-last_alert_at")
    return {str(i.pk): i for i in fitting.prefetch_related("entities")[:CANDIDATES]}


def _candidate(row: Incident) -> Candidate:
    return Candidate(
        str(row.pk), frozenset(e.key for e in row.entities.all()), row.started_at, row.last_alert_at,
        row.resolved_at if row.state == "resolved" else None,
    )  # fmt: skip


def _relations(keys: frozenset[str]) -> Iterator[Relation]:
    """The relations around these entities: their own, and those of everything that shares a parent with them."""
    own = EntityRelation.objects.filter(Q(start__key__in=keys) | Q(end__key__in=keys))
    parents = set(own.values_list("end__key", flat=True)) | set(keys)
    around = EntityRelation.objects.filter(Q(end__key__in=parents) | Q(start__key__in=keys))
    for start, kind, end in around.values_list("start__key", "kind", "end__key")[:5000]:
        yield Relation(start, RelationKind(kind), end)


def next_number() -> int:
    """The number of the next incident."""
    return (Incident.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _open(alert: ParsedAlert, now: datetime, recorded: str) -> Incident:
    return Incident.objects.create(
        number=next_number(), title=alert.title[:300], severity=alert.severity.rank,
        started_at=alert.started_at, opened_at=now, last_alert_at=alert.started_at,
        recorded_from=recorded,
    )  # fmt: skip


def refresh_state(incident: Incident) -> bool:
    """State, severity and times of the incident, from its alerts; whether it opened or resolved by that.

    Resolved only when all alerts are. Once a person closed it, alerts from before do not hold it open.
    """
    incident.refresh_from_db()
    before = [getattr(incident, field) for field in SETTLED]
    was, live = incident.state, Q(firing=True)
    if incident.closed_at:
        live &= Q(started_at__gt=incident.closed_at)
    summary = incident.alerts.aggregate(
        first=Min("started_at"), last=Max("started_at"), ended=Max("ended_at"), severity=Max("severity"),
        live=Count("pk", filter=live),
    )  # fmt: skip
    firing = summary["live"] > 0
    if firing and was == "resolved":
        incident.reopened += 1
    incident.state = "open" if firing else "resolved"
    ended = incident.closed_at or summary["ended"]
    incident.resolved_at = None if firing else ended
    incident.closed_at = None if firing else incident.closed_at
    incident.started_at, incident.severity = summary["first"], summary["severity"]
    incident.last_alert_at = max(filter(None, (summary["last"], None if firing else ended)))
    if before != [getattr(incident, field) for field in SETTLED]:
        # Only these: a person or a verdict may be writing to the other fields.
        incident.save(update_fields=SETTLED)
    return incident.state != was
