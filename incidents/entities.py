"""Stores entities with their aliases and relations."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from domain.alerts import ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation
from incidents import identity
from incidents.models import Entity, EntityAlias, EntityRelation, Incident

MANY_NAMES = frozenset({EntityKind.HOST, EntityKind.ETCD_MEMBER})


class EntityCache:
    """The entities of a burst of alerts; each one is looked up and stored once."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._declared = frozenset(e.key for e in identity.declared(connections)[0])
        self._stored: dict[tuple[EntityRef, ...], dict[str, Entity]] = {}
        self._joined: set[tuple[UUID, tuple[str, ...]]] = set()

    def of(self, alert: ParsedAlert) -> dict[str, Entity]:
        """The rows of the alert's entities by key; stores them with their aliases and relations."""
        if alert.entities not in self._stored:
            self._stored[alert.entities] = self._store(alert.entities)
        return self._stored[alert.entities]

    def _store(self, found: tuple[EntityRef, ...]) -> dict[str, Entity]:
        resolved = identity.resolve(found, self._connections)
        entities = tuple(ref if ref.key in self._declared else known_as(ref) for ref in resolved)
        stored = store_entities(entities)
        store_aliases(entities, stored)
        store_relations(identity.relations_from_alert(entities, self._connections), stored)
        return stored

    def join(self, incident: Incident, stored: Mapping[str, Entity]) -> None:
        """Add these entities to the incident."""
        if (joined := (incident.pk, tuple(stored))) not in self._joined:
            incident.entities.add(*stored.values())
            self._joined.add(joined)


def known_as(ref: EntityRef) -> EntityRef:
    """The stored entity that has one of these names, if exactly one fits; otherwise `ref` itself.

    Only hosts and etcd members are looked up, as only they have many names.
    """
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
    """Store the names of these hosts and members; a name stays with the first entity that had it."""
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
    """Store these relations and the entities at their ends; entities in `stored` are not looked up again."""
    found = list(relations)
    ends = {key for r in found for key in (r.start, r.end)} - stored.keys()
    rows = {**stored, **store_entities(EntityRef.from_key(key) for key in ends)}
    EntityRelation.objects.bulk_create(
        [EntityRelation(start=rows[r.start], kind=r.kind, end=rows[r.end]) for r in found], ignore_conflicts=True
    )


def store_topology(connections: Connections) -> None:
    """Store the relations that follow from the declarations; alerts are grouped by them."""
    store_relations(identity.declared(connections)[1])
