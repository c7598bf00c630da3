"""What the record knows of one entity: its names, its relations, each with its proof, and its incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import codec
from domain.entities import EntityKind
from domain.text import Text
from incidents.models import Alert, AuditEntry, Entity, EntityAlias, EntityRelation, Incident

INCIDENTS_SHOWN = 20
RELATIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Named:
    """Another name, and the statement that names both; None for what an earlier version stored without one."""

    name: str
    because: Text | None


@dataclass(frozen=True, slots=True)
class Merged:
    """An entity that is this one: who merged it and why, as the audit trail has it."""

    key: str
    by: str
    because: str


@dataclass(frozen=True, slots=True)
class Related:
    """A relation: its kind, the key at the other end, whether this entity is its start, and where it came from."""

    kind: str
    other: str
    outward: bool
    because: Text | None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything about one entity; of incidents and relations the newest."""

    entity: Entity
    names: Sequence[Named]
    merged: Sequence[Merged]
    relations: Sequence[Related]
    incidents: Sequence[Incident]


def known(entity: Entity) -> Known:
    """What is known of the entity."""
    names = [Named(row.alias, _text(row.because)) for row in entity.aliases.order_by("alias")]
    merged = [_merged(row) for row in entity.merged.order_by("key")]
    newest = list(entity.incidents.filter(merged_into=None).order_by("-started_at", "-number")[:INCIDENTS_SHOWN])
    return Known(entity, names, merged, _relations(entity), newest)


def sources_without_cluster(since: datetime) -> list[str]:
    """Sources of which an alert since then is about something in Kubernetes or etcd, in no cluster."""
    kinds = [EntityKind.POD, EntityKind.WORKLOAD, EntityKind.NAMESPACE, EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER]
    nameless = Alert.objects.filter(started_at__gte=since, subject__cluster="", subject__kind__in=kinds)
    found = nameless.values_list("source__kind", "source__name").distinct().order_by("source__kind", "source__name")
    return [f"{kind}/{name}" for kind, name in found]


def unproven_names() -> int:
    """How many names an earlier version stored without a statement."""
    return EntityAlias.objects.filter(because={}).count()


def _merged(row: Entity) -> Merged:
    entry = AuditEntry.objects.filter(action="merge entities", object=row.key[:200]).order_by("-pk").first()
    return Merged(row.key, entry.by if entry else "", str(entry.detail.get("because", "")) if entry else "")


def _relations(entity: Entity) -> list[Related]:
    outward = EntityRelation.objects.filter(start=entity).select_related("end").order_by("kind", "end__key")
    inward = EntityRelation.objects.filter(end=entity).select_related("start").order_by("kind", "start__key")
    found = [Related(r.kind, r.end.key, True, _text(r.because)) for r in outward[:RELATIONS_SHOWN]]
    return found + [Related(r.kind, r.start.key, False, _text(r.because)) for r in inward[:RELATIONS_SHOWN]]


def _text(stored: dict[str, object]) -> Text | None:
    return codec.convert(stored, Text) if stored else None
