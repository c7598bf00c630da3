"""Puts one parsed alert where it belongs: its row, its entities, its incident. Called inside one transaction."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min, Q

from domain.alerts import AlertState, ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from incidents import identity
from incidents.grouping import Candidate, Decision, Newcomer, Rules, group
from incidents.models import Alert, Delivery, Entity, EntityAlias, EntityRelation, Incident

RULES = Rules()
# Which message tells most about an alert; what tells more replaces what tells less, in any order.
TELLS = {AlertState.UPDATE: 0, AlertState.RESOLVED: 1, AlertState.FIRING: 2}
CANDIDATES = 200
SETTLED = ("state", "severity", "started_at", "last_alert_at", "resolved_at", "closed_at", "reopened")
MANY_NAMES = frozenset({EntityKind.HOST, EntityKind.ETCD_MEMBER})


class Things:
    """What the alerts of a burst are about; what several of them name is looked up and stored once."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._declared = frozenset(e.key for e in identity.declared(connections)[0])
        self._stored: dict[tuple[EntityRef, ...], dict[str, Entity]] = {}
        self._joined: set[tuple[UUID, tuple[str, ...]]] = set()

    def of(self, alert: ParsedAlert) -> dict[str, Entity]:
        """The rows of the alert's things by key, stored with their other names and how they hang together."""
        if alert.entities not in self._stored:
            self._stored[alert.entities] = self._store(alert.entities)
        return self._stored[alert.entities]

    def _store(self, found: tuple[EntityRef, ...]) -> dict[str, Entity]:
        resolved = identity.resolve(found, self._connections)
        entities = tuple(ref if ref.key in self._declared else known_as(ref) for ref in resolved)
        stored = store_entities(entities)
        store_aliases(entities, stored)
        store_relations(identity.told(entities, self._connections), stored)
        return stored

    def join(self, incident: Incident, stored: Mapping[str, Entity]) -> None:
        """The incident is about these too."""
        if (joined := (incident.pk, tuple(stored))) not in self._joined:
            incident.entities.add(*stored.values())
            self._joined.add(joined)


def place_alert(delivery: Delivery, alert: ParsedAlert, things: Things) -> Incident:
    """The incident that the alert is part of, opened if none fits."""
    near = _occurrences(delivery, alert)
    row = _row(near, delivery, alert) or _new_row(near, delivery, alert)
    if alert.state is AlertState.RESOLVED:
        _end_merged(near, alert)
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


def _occurrences(delivery: Delivery, alert: ParsedAlert) -> list[Alert]:
    """Those of the alert's stored occurrences that the message can be about or can end, the oldest first."""
    began = alert.started_at
    near = Q(occurrence=alert.occurrence[:64]) | Q(firing=True) | Q(started_at__gt=began) | Q(ended_at__gt=began)
    same = Alert.objects.filter(near, source=delivery.source, identity=alert.identity[:200])
    return list(same.select_related("incident").order_by("started_at", "pk"))


def _row(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert | None:
    """The stored occurrence that this message is about, brought up to date."""
    row = next((r for r in near if r.occurrence == alert.occurrence[:64]), None) or _episode(near, alert)
    if row is None:
        return None
    known = msgspec.json.decode(row.parsed, type=ParsedAlert)
    if TELLS[alert.state] >= TELLS[known.state]:
        row.parsed = msgspec.json.encode(alert)
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


def _episode(near: list[Alert], alert: ParsedAlert) -> Alert | None:
    """Alertmanager's startsAt is not stable: a merged or resolved message may carry an earlier one.

    An end belongs to the open episode that began at or after its start; a start within a finished episode to that.
    """
    began = alert.started_at
    if alert.state is AlertState.RESOLVED:
        return next((r for r in near if r.firing and began <= r.started_at <= (alert.ended_at or r.started_at)), None)
    return next((r for r in near if not r.firing and r.started_at <= began < (r.ended_at or began)), None)


def _end_merged(near: list[Alert], alert: ParsedAlert) -> None:
    """Every open episode that began between the start and the end of a resolved one was part of it."""
    if alert.ended_at is not None:
        _end([r for r in near if r.firing and alert.started_at <= r.started_at <= alert.ended_at], alert.ended_at)


def _end(rows: list[Alert], at: datetime) -> None:
    if rows:
        Alert.objects.filter(pk__in=[r.pk for r in rows]).update(firing=False, ended_at=at)


def _new_row(near: list[Alert], delivery: Delivery, alert: ParsedAlert) -> Alert:
    """A row for an occurrence that is not stored yet; it is saved once its incident is known."""
    later = next((r for r in near if r.started_at > alert.started_at), None)
    # One fingerprint cannot fire twice at once: a newer occurrence ends the older one that never said so.
    _end([r for r in near if r.firing and r.started_at < alert.started_at], alert.started_at)
    firing = alert.state is not AlertState.RESOLVED and later is None
    ended = alert.ended_at or (delivery.received_at if alert.state is AlertState.RESOLVED else None)
    if later is not None:
        ended = min(filter(None, (ended, later.started_at)))
    return Alert(
        source=delivery.source, identity=alert.identity[:200], occurrence=alert.occurrence[:64],
        firing=firing, known_started=alert.state is AlertState.FIRING,
        name=alert.name[:300], title=alert.title, severity=alert.severity.rank,
        started_at=alert.started_at, ended_at=ended,
        last_seen_at=delivery.received_at, parsed=msgspec.json.encode(alert),
    )  # fmt: skip


def known_as(ref: EntityRef) -> EntityRef:
    """The stored thing that has one of these names, if exactly one fits; hosts and etcd members go by many names."""
    names = identity.names_of(ref)
    if ref.kind not in MANY_NAMES or Entity.objects.filter(key=ref.key).exists():
        return ref
    rows = EntityAlias.objects.filter(kind=ref.kind, alias__in=names).select_related("entity")
    fitting = {
        r.entity.key: r.entity for r in rows
        if (not r.cluster or not ref.cluster or r.cluster == ref.cluster)
        and identity.compatible(r.entity.name, ref.name)
    }  # fmt: skip
    if len(fitting) != 1:
        return ref
    (one,) = fitting.values()
    return EntityRef(ref.kind, one.name, one.cluster, one.namespace, tuple(sorted(names)))


def store_aliases(entities: tuple[EntityRef, ...], stored: Mapping[str, Entity]) -> None:
    """Remember under which names these hosts and members came; the first entity of a name keeps it."""
    EntityAlias.objects.bulk_create(
        [
            EntityAlias(entity=stored[e.key], kind=e.kind, cluster=e.cluster, alias=name[:253])
            for e in entities if e.kind in MANY_NAMES for name in sorted(identity.names_of(e))
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def store_entities(entities: Iterable[EntityRef]) -> dict[str, Entity]:
    """The rows of these entities by key, made where missing."""
    wanted = {e.key: e for e in entities}
    have = {e.key: e for e in Entity.objects.filter(key__in=wanted)}
    missing = [
        Entity(key=key, kind=e.kind, name=e.name, cluster=e.cluster, namespace=e.namespace)
        for key, e in wanted.items() if key not in have
    ]  # fmt: skip
    if missing:  # another process may have made one just now: then its row is taken
        made = Entity.objects.bulk_create(missing, update_conflicts=True, unique_fields=["key"], update_fields=["kind"])
        have |= {e.key: e for e in made}
    return {key: have[key] for key in sorted(wanted)}


def store_relations(relations: Iterable[Relation], stored: Mapping[str, Entity] = MappingProxyType({})) -> None:
    """The rows of these relations, with the entities at their ends; those that are `stored` are not looked up."""
    found = list(relations)
    ends = {key for r in found for key in (r.start, r.end)} - stored.keys()
    rows = {**stored, **store_entities(EntityRef.from_key(key) for key in ends)}
    EntityRelation.objects.bulk_create(
        [EntityRelation(start=rows[r.start], kind=r.kind, end=rows[r.end]) for r in found], ignore_conflicts=True
    )


def store_topology(connections: Connections) -> None:
    """How the declared things hang together, which groups alerts; to be said when something is declared."""
    store_relations(identity.declared(connections)[1])


def _join(row: Alert, alert: ParsedAlert, entities: Mapping[str, Entity], delivery: Delivery) -> Incident:
    keys = frozenset(e.key for e in entities.values())
    recorded = delivery.source.recorded_from
    newcomer = Newcomer(keys, alert.started_at, _earlier(row))
    alive = _alive(newcomer, recorded)
    decision = group(newcomer, [_candidate(i) for i in alive.values()], _relations(keys), RULES)
    row.incident = alive.get(decision.incident) or _open(alert, delivery.received_at, recorded)
    row.joined_because = _reason(decision)
    return row.incident


def _earlier(row: Alert) -> str:
    """The incident of the newest other occurrence of the alert, empty when there is none."""
    others = Alert.objects.filter(source=row.source_id, identity=row.identity, incident__isnull=False)
    newest = others.exclude(pk=row.pk).order_by("-started_at").values_list("incident_id", flat=True).first()
    return str(newest or "")


def _reason(decision: Decision) -> dict[str, str]:
    return {"en": decision.reason.en, "zh": decision.reason.zh}


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


def settle(incident: Incident) -> bool:
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
