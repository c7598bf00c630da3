"""Puts one parsed alert where it belongs: its row, its entities, its incident. Called inside one transaction."""

from datetime import datetime

import msgspec
from django.db.models import Max, Min, Q, QuerySet

from domain.alerts import AlertState, ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from incidents import identity
from incidents.grouping import Candidate, Decision, Newcomer, Rules, group
from incidents.models import Alert, Delivery, Entity, EntityAlias, EntityRelation, Incident
from incidents.queries import recorded_path

RULES = Rules()
# Which message tells most about an alert; what tells more replaces what tells less, in any order.
TELLS = {AlertState.UPDATE: 0, AlertState.RESOLVED: 1, AlertState.FIRING: 2}
CANDIDATES = 200
MANY_NAMES = frozenset({EntityKind.HOST, EntityKind.ETCD_MEMBER})


def place_alert(delivery: Delivery, alert: ParsedAlert, connections: Connections) -> Incident:
    """The incident that the alert is part of, opened if none fits."""
    row = _row(delivery, alert) or _new_row(delivery, alert)
    if alert.state is AlertState.RESOLVED:
        _end_merged(delivery, alert)
    declared = {e.key for e in identity.declared(connections)[0]}
    resolved = identity.resolve(alert.entities, connections)
    entities = tuple(ref if ref.key in declared else known_as(ref) for ref in resolved)
    stored = store_entities(entities)
    store_aliases(entities, stored)
    store_relations(identity.told(entities, connections))
    row.entities.add(*stored)
    incident = row.incident or _join(row, alert, stored, delivery)
    incident.entities.add(*stored)
    if alert.acknowledged and incident.acknowledged_at is None:
        Incident.objects.filter(pk=incident.pk).update(
            acknowledged_at=delivery.received_at, acknowledged_by=str(delivery.source)
        )
    return incident


def _row(delivery: Delivery, alert: ParsedAlert) -> Alert | None:
    """The stored occurrence that this message is about, brought up to date."""
    same = Alert.objects.filter(source=delivery.source, identity=alert.identity)
    row = same.filter(occurrence=alert.occurrence).first() or _episode(same, alert)
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
        row.started_at, row.occurrence = alert.started_at, alert.occurrence
    row.severity = max(row.severity, alert.severity.rank)
    row.last_seen_at = max(row.last_seen_at, delivery.received_at)
    row.save()
    return row


def _episode(same: QuerySet[Alert], alert: ParsedAlert) -> Alert | None:
    """Alertmanager's startsAt is not stable: a merged or resolved message may carry an earlier one.

    An end belongs to the open episode that began at or after its start; a start within a finished episode to that.
    """
    if alert.state is AlertState.RESOLVED:
        within = same.filter(firing=True, started_at__gte=alert.started_at)
        if alert.ended_at:
            within = within.filter(started_at__lte=alert.ended_at)
        return within.order_by("started_at").first()
    return same.filter(firing=False, started_at__lte=alert.started_at, ended_at__gt=alert.started_at).first()


def _end_merged(delivery: Delivery, alert: ParsedAlert) -> None:
    """Every open episode that began between the start and the end of a resolved one was part of it."""
    if alert.ended_at is not None:
        Alert.objects.filter(
            source=delivery.source, identity=alert.identity, firing=True,
            started_at__gte=alert.started_at, started_at__lte=alert.ended_at,
        ).update(firing=False, ended_at=alert.ended_at)  # fmt: skip


def _new_row(delivery: Delivery, alert: ParsedAlert) -> Alert:
    same = Alert.objects.filter(source=delivery.source, identity=alert.identity)
    later = same.filter(started_at__gt=alert.started_at).order_by("started_at").first()
    # One fingerprint cannot fire twice at once: a newer occurrence ends the older one that never said so.
    same.filter(firing=True, started_at__lt=alert.started_at).update(firing=False, ended_at=alert.started_at)
    firing = alert.state is not AlertState.RESOLVED and later is None
    ended = alert.ended_at or (delivery.received_at if alert.state is AlertState.RESOLVED else None)
    if later is not None:
        ended = min(filter(None, (ended, later.started_at)))
    return Alert.objects.create(
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


def store_aliases(entities: tuple[EntityRef, ...], stored: list[Entity]) -> None:
    """Remember under which names these hosts and members came; the first entity of a name keeps it."""
    rows = {e.key: e for e in stored}
    EntityAlias.objects.bulk_create(
        [
            EntityAlias(entity=rows[e.key[:500]], kind=e.kind, cluster=e.cluster[:100], alias=name[:253])
            for e in entities if e.kind in MANY_NAMES for name in sorted(identity.names_of(e))
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def store_entities(entities: tuple[EntityRef, ...]) -> list[Entity]:
    """The rows of these entities, made where missing."""
    Entity.objects.bulk_create(
        [
            Entity(
                key=e.key[:500], kind=e.kind, name=e.name[:253], cluster=e.cluster[:100], namespace=e.namespace[:100]
            )
            for e in entities
        ],
        ignore_conflicts=True,
    )
    return list(Entity.objects.filter(key__in=[e.key[:500] for e in entities]).order_by("key"))


def store_relations(relations: tuple[Relation, ...]) -> None:
    """The rows of these relations, with the entities at their ends where these exist or can be read off the key."""
    keys = sorted({k for r in relations for k in (r.start, r.end)})
    have = {e.key: e for e in Entity.objects.filter(key__in=keys)}
    missing = [Entity(**_from_key(k)) for k in keys if k not in have]
    if missing:
        Entity.objects.bulk_create(missing, ignore_conflicts=True)
        have = {e.key: e for e in Entity.objects.filter(key__in=keys)}
    rows = [EntityRelation(start=have[r.start], kind=r.kind, end=have[r.end]) for r in relations]
    EntityRelation.objects.bulk_create(rows, ignore_conflicts=True)


def _from_key(key: str) -> dict[str, str]:
    ref = EntityRef.from_key(key)
    return {"key": key, "kind": ref.kind, "cluster": ref.cluster, "namespace": ref.namespace, "name": ref.name}


def _join(row: Alert, alert: ParsedAlert, entities: list[Entity], delivery: Delivery) -> Incident:
    keys = frozenset(e.key for e in entities)
    earlier = (
        Alert.objects.filter(source=row.source, identity=row.identity, incident__isnull=False)
        .exclude(pk=row.pk).order_by("-started_at").values_list("incident_id", flat=True).first()
    )  # fmt: skip
    newcomer = Newcomer(keys, alert.started_at, str(earlier or ""))
    recorded = recorded_path(row.source)
    decision = group(newcomer, _candidates(alert.started_at, recorded), _relations(keys), RULES)
    now = delivery.received_at
    known = Incident.objects.filter(pk=decision.incident).get() if decision.incident else None
    row.incident = known or _open(alert, now, recorded)
    row.joined_because = _reason(decision)
    row.save()
    return row.incident


def _reason(decision: Decision) -> dict[str, str]:
    return {"en": decision.reason.en, "zh": decision.reason.zh}


def _candidates(started_at: datetime, recorded: str) -> list[Candidate]:
    """Incidents that may be joined. A recording keeps to itself: its world is not this one."""
    alive = Q(state="open") | Q(resolved_at__gte=started_at - RULES.reopen_window)
    fitting = Incident.objects.filter(alive, recorded_from=recorded).order_by("-last_alert_at")
    rows = fitting.prefetch_related("entities")[:CANDIDATES]
    return [
        Candidate(
            str(i.pk), frozenset(e.key for e in i.entities.all()), i.started_at, i.last_alert_at,
            i.resolved_at if i.state == "resolved" else None,
        )
        for i in rows
    ]  # fmt: skip


def _relations(keys: frozenset[str]) -> list[Relation]:
    """The relations around these entities: their own, and those of everything that shares a parent with them."""
    own = EntityRelation.objects.filter(Q(start__key__in=keys) | Q(end__key__in=keys))
    parents = set(own.values_list("end__key", flat=True)) | set(keys)
    around = EntityRelation.objects.filter(Q(end__key__in=parents) | Q(start__key__in=keys))
    return [Relation(s, RelationKind(k), e) for s, k, e in around.values_list("start__key", "kind", "end__key")[:5000]]


def _open(alert: ParsedAlert, now: datetime, recorded: str) -> Incident:
    number = (Incident.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    return Incident.objects.create(
        number=number, title=alert.title[:300], severity=alert.severity.rank,
        started_at=alert.started_at, opened_at=now, last_alert_at=alert.started_at,
        recorded_from=recorded,
    )  # fmt: skip


def settle(incident: Incident) -> bool:
    """State, severity and times of the incident, from its alerts; whether it opened or resolved by that.

    Resolved only when all alerts are. Once a person closed it, alerts from before do not hold it open.
    """
    incident.refresh_from_db()
    was, alerts = incident.state, incident.alerts.all()
    summary = alerts.aggregate(
        first=Min("started_at"), last=Max("started_at"), ended=Max("ended_at"), severity=Max("severity")
    )
    live = alerts.filter(firing=True)
    if incident.closed_at:
        live = live.filter(started_at__gt=incident.closed_at)
    firing = live.exists()
    if firing and was == "resolved":
        incident.reopened += 1
    incident.state = "open" if firing else "resolved"
    ended = incident.closed_at or summary["ended"]
    incident.resolved_at = None if firing else ended
    incident.closed_at = None if firing else incident.closed_at
    incident.started_at, incident.severity = summary["first"], summary["severity"]
    incident.last_alert_at = max(filter(None, (summary["last"], None if firing else ended)))
    incident.save()
    return incident.state != was
