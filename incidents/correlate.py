"""Which incident an alert belongs to, and the state that follows for the incident. Called inside one transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
# The fields of an incident that follow from its alerts.
DERIVED_FIELDS = ("state", "severity", "started_at", "last_alert_at", "resolved_at", "closed_at", "reopened")


@dataclass(frozen=True, slots=True)
class _AlertSummary:
    """All alerts of one incident: first and last start, last end, highest severity (0 to 4), how many hold it open."""

    first_start: datetime
    last_start: datetime
    last_end: datetime | None
    severity: int
    firing: int


def place_alert(delivery: Delivery, alert: ParsedAlert, entities: EntityCache) -> Incident:
    """Store the alert; the incident that it is part of, opened if none fits."""
    near = nearby_occurrences(delivery, alert)
    row = stored_occurrence(near, delivery, alert) or new_occurrence(near, delivery, alert)
    if alert.state is AlertState.RESOLVED:
        end_merged(near, alert)
    stored = entities.of(alert)
    row.subject, row.family = entities.subject(alert), alert.family.value
    incident = row.incident or _join(row, alert, stored, delivery)
    row.save()
    row.entities.add(*stored.values())
    entities.join(incident, stored)
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
    """Incidents that the alert may join, by id: those that are open or were resolved shortly before it.

    Alerts of a recording only join incidents of the same recording.
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
    """Derive state, severity and times of the incident from its alerts; whether that opened or resolved it.

    It is resolved when no alert fires. Once a person closed it, only alerts that start later hold it open.
    """
    incident.refresh_from_db()
    previous_state, previous = incident.state, _derived(incident)
    summary = _summary_of_alerts(incident)
    incident.started_at, incident.severity = summary.first_start, summary.severity
    if summary.firing:
        _keep_open(incident, summary)
    else:
        _keep_resolved(incident, summary)
    if _derived(incident) != previous:
        # Only these fields: a person or a verdict may be writing to the others.
        incident.save(update_fields=DERIVED_FIELDS)
    return incident.state != previous_state


def _derived(incident: Incident) -> list[object]:
    return [getattr(incident, field) for field in DERIVED_FIELDS]


def _summary_of_alerts(incident: Incident) -> _AlertSummary:
    holds_open = Q(firing=True)
    if incident.closed_at:
        holds_open &= Q(started_at__gt=incident.closed_at)
    return _AlertSummary(
        **incident.alerts.aggregate(
            first_start=Min("started_at"), last_start=Max("started_at"), last_end=Max("ended_at"),
            severity=Max("severity"), firing=Count("pk", filter=holds_open),
        )
    )  # fmt: skip


def _keep_open(incident: Incident, summary: _AlertSummary) -> None:
    if incident.state == "resolved":
        incident.reopened += 1
    incident.state = "open"
    incident.resolved_at = incident.closed_at = None
    incident.last_alert_at = summary.last_start


def _keep_resolved(incident: Incident, summary: _AlertSummary) -> None:
    ended_at = incident.closed_at or summary.last_end
    incident.state = "resolved"
    incident.resolved_at = ended_at
    incident.last_alert_at = summary.last_start if ended_at is None else max(summary.last_start, ended_at)
