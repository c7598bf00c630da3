"""Stores entities with their other names and relations. A name is added only by a statement that names both."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from domain import codec
from domain.alerts import ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation
from domain.text import Text
from incidents import identity
from incidents.models import Entity, EntityAlias, EntityRelation, Incident

MANY_NAMES = frozenset({EntityKind.HOST, EntityKind.ETCD_MEMBER})
OWN_ADDRESS = Text("it is the address in its own name")
BY_ALERT = Text("labels of alert {alert}")
DECLARED = Text("the connections file declares it")
_Named = tuple[tuple[EntityRef, ...], EntityRef | None, Text | None, tuple[tuple[str, str], ...]]


class EntityCache:
    """The entities of a burst of alerts; each one is looked up and stored once."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._declared = frozenset(e.key for e in identity.declared(connections)[0])
        # Only these labels decide which etcd is meant.
        self._deciding = sorted({"job", *(label for etcd in connections.etcd for label in etcd.selector)})
        self._stored: dict[_Named, dict[str, Entity]] = {}
        self._subjects: dict[_Named, Entity | None] = {}
        self._joined: set[tuple[UUID, tuple[str, ...]]] = set()

    def of(self, alert: ParsedAlert) -> dict[str, Entity]:
        """The rows of the alert's entities by key; stores them with their names and relations."""
        named = self.named(alert)
        if named not in self._stored:
            self._store(named, alert)
        return self._stored[named]

    def subject(self, alert: ParsedAlert) -> Entity | None:
        """The row of what the alert is about, None when nothing names it."""
        self.of(alert)
        return self._subjects[self.named(alert)]

    def named(self, alert: ParsedAlert) -> _Named:
        """What decides which entities the alert is about; alerts that have it in common have them in common."""
        labels = tuple((label, alert.labels[label]) for label in self._deciding if label in alert.labels)
        return alert.entities, alert.subject, alert.names_from, labels

    def _store(self, named: _Named, alert: ParsedAlert) -> None:
        labels = dict(named[3])
        found = {ref: identity.canonical(ref, self._connections, labels) for ref in self._refs(alert)}
        known = known_as(tuple(dict.fromkeys(found.values())), self._declared)
        entities = tuple(sorted(set(known.values())))
        rows = store_entities(entities)
        store_names(entities, rows, alert.names_from)
        relations = identity.relations_from_alert(entities, self._connections, labels)
        store_relations(relations, BY_ALERT.format(alert=alert.name[:200]), rows)
        by_ref = {ref: rows[known[one].key] for ref, one in found.items() if one.name}
        self._stored[named] = {row.key: row for row in sorted(by_ref.values(), key=lambda row: row.key)}
        self._subjects[named] = by_ref.get(alert.subject) if alert.subject else None

    def _refs(self, alert: ParsedAlert) -> tuple[EntityRef, ...]:
        """The alert's entities and its subject, which without a name of its own may get one by what is declared."""
        return tuple(dict.fromkeys((*alert.entities, *((alert.subject,) if alert.subject else ()))))

    def join(self, incident: Incident, stored: Mapping[str, Entity]) -> None:
        """Add these entities to the incident."""
        if (joined := (incident.pk, tuple(stored))) not in self._joined:
            incident.entities.add(*stored.values())
            self._joined.add(joined)


def known_as(refs: tuple[EntityRef, ...], declared: frozenset[str]) -> dict[EntityRef, EntityRef]:
    """Each entity as it is stored: one that has its name in the same cluster as another name, if exactly one fits.

    Only hosts and etcd members are looked up, as only they have many names; nameless ones are left out of the values.
    """
    known = {ref: ref for ref in refs}
    asked = [ref for ref in refs if ref.kind in MANY_NAMES and ref.key not in declared]
    if not asked:
        return {ref: one for ref, one in known.items() if one.name}
    names = {name for ref in asked for name in identity.names_of(ref)}
    # Names that an earlier version stored without a statement are not believed.
    proven = EntityAlias.objects.filter(alias__in=names, kind__in=MANY_NAMES).exclude(because={})
    rows = list(proven.select_related("entity"))
    for ref in asked:
        fitting = {row.entity.key: row.entity for row in rows if _fits(row, ref)}
        if len(fitting) == 1 and ref.key not in fitting:
            (one,) = fitting.values()
            known[ref] = EntityRef(
                ref.kind, one.name, one.cluster, one.namespace, tuple(sorted(identity.names_of(ref)))
            )
    return {ref: one for ref, one in known.items() if one.name}


def _fits(row: EntityAlias, ref: EntityRef) -> bool:
    same = row.kind == ref.kind and row.cluster == ref.cluster and row.alias in identity.names_of(ref)
    return same and identity.compatible(row.entity.name, ref.name)


def store_names(entities: Iterable[EntityRef], stored: Mapping[str, Entity], because: Text | None) -> None:
    """Store the other names of these hosts and members; a name stays with the first entity that had it.

    Without a statement that names both, only the address in a member's own name is another name of it.
    """
    made = [
        EntityAlias(entity=stored[e.key], kind=e.kind, cluster=e.cluster, alias=name[:253], because=_json(why))
        for e in entities if e.kind in MANY_NAMES for name, why in _names(e, because)
    ]  # fmt: skip
    if made:
        EntityAlias.objects.bulk_create(made, ignore_conflicts=True)


def _names(ref: EntityRef, because: Text | None) -> list[tuple[str, Text]]:
    if because is not None:
        return [(name, because) for name in sorted(identity.names_of(ref) - {ref.name})]
    address = identity.host_part(ref.name) if ref.kind is EntityKind.ETCD_MEMBER and ":" in ref.name else ""
    return [(address, OWN_ADDRESS)] if address and address not in identity.LOOPBACK else []


def store_entities(entities: Iterable[EntityRef]) -> dict[str, Entity]:
    """The rows of these entities by key, made where missing; of one that is another, the other's row."""
    wanted = {e.key: e for e in entities}
    have = {e.key: e for e in Entity.objects.filter(key__in=wanted).select_related("merged_into")}
    missing = [
        Entity(key=key, kind=e.kind, name=e.name, cluster=e.cluster, namespace=e.namespace)
        for key, e in wanted.items() if key not in have
    ]  # fmt: skip
    if missing:  # another process may have made one just now: then its row is taken
        made = Entity.objects.bulk_create(missing, update_conflicts=True, unique_fields=["key"], update_fields=["kind"])
        have |= {e.key: e for e in made}
    return {key: have[key].merged_into or have[key] for key in sorted(wanted)}


def store_relations(
    relations: Iterable[Relation], because: Text, stored: Mapping[str, Entity] = MappingProxyType({})
) -> None:
    """Store these relations and the entities at their ends; entities in `stored` are not looked up again."""
    found = list(relations)
    ends = {key for r in found for key in (r.start, r.end)} - stored.keys()
    rows = {**stored, **(store_entities(EntityRef.from_key(key) for key in ends) if ends else {})}
    made = [
        EntityRelation(start=rows[r.start], kind=r.kind, end=rows[r.end], because=_json(because))
        for r in found if rows[r.start] != rows[r.end]
    ]  # fmt: skip
    if made:
        EntityRelation.objects.bulk_create(made, ignore_conflicts=True)


def store_topology(connections: Connections) -> None:
    """Store the relations that follow from the declarations; alerts are grouped by them."""
    store_relations(identity.declared(connections)[1], DECLARED)


def _json(text: Text) -> dict[str, object]:
    encoded: dict[str, object] = codec.to_builtins(text)
    return encoded
