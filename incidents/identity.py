"""Resolves the different names that monitoring systems use to one entity. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind

LOOPBACK = frozenset({"127.0.0.1", "::1", "[::1]", "localhost"})


def resolve(found: Iterable[EntityRef], connections: Connections) -> tuple[EntityRef, ...]:
    """The canonical entities, each once, in key order. A name that is not declared stays as it is."""
    resolved: dict[str, EntityRef] = {}
    for ref in (_canonical(ref, connections).bounded() for ref in found):
        same = resolved.get(ref.key, ref)
        resolved[ref.key] = replace(ref, aliases=tuple(sorted({*same.aliases, *ref.aliases} - {""})))
    return tuple(resolved[key] for key in sorted(resolved))


def names_of(ref: EntityRef) -> frozenset[str]:
    """All names that identify an entity; a loopback address does not."""
    return frozenset(n for n in (ref.name, *ref.aliases) if n and n not in LOOPBACK)


def compatible(one: str, other: str) -> bool:
    """Whether two names may mean the same entity. Two addresses with different ports are two processes."""
    first, second = one.rpartition(":")[2], other.rpartition(":")[2]
    return one == other or ":" not in one or ":" not in other or first == second


def _canonical(ref: EntityRef, connections: Connections) -> EntityRef:
    if ref.kind is EntityKind.ETCD_MEMBER:
        return _member(ref, connections)
    if ref.kind is EntityKind.ETCD_CLUSTER:
        return _cluster(ref, connections)
    return _host(ref, connections) if ref.kind is EntityKind.HOST else ref


def _host(ref: EntityRef, connections: Connections) -> EntityRef:
    """A declared member's machine, by one of its names, or by its address when only one member has it."""
    pairs = [(etcd, m) for etcd in connections.etcd for m in etcd.member if m.hosts and _fits(ref, etcd)]
    names = names_of(ref)
    named = [(e, m) for e, m in pairs if names & set(m.hosts)]
    found = named or [(e, m) for e, m in pairs if _authority(m.endpoint).rsplit(":", 1)[0] in names]
    machines = {(m.hosts[0], e.cluster) for e, m in found}
    if len(machines) != 1:
        return ref
    name, cluster = machines.pop()
    return EntityRef(EntityKind.HOST, name, cluster, "", ref.aliases)


def _cluster(ref: EntityRef, connections: Connections) -> EntityRef:
    for etcd in connections.etcd:
        if ref.name in {etcd.name, etcd.cluster} or (ref.cluster and ref.cluster == etcd.cluster):
            return cluster_entity(etcd)
    return ref


def _member(ref: EntityRef, connections: Connections) -> EntityRef:
    """By any exact name first; by a bare host only when a single member has it."""
    pairs = [(etcd, member) for etcd in connections.etcd for member in etcd.member if _fits(ref, etcd)]
    names = {ref.name, *ref.aliases} - {""}
    for etcd, member in pairs:
        if names & {member.name, member.instance, member.endpoint, _authority(member.endpoint)}:
            return member_entity(etcd, member)
    named = [(e, m) for e, m in pairs if names & set(m.hosts)]
    found = named or [(e, m) for e, m in pairs if _authority(m.endpoint).rsplit(":", 1)[0] in names - LOOPBACK]
    return member_entity(*found[0]) if len(found) == 1 else ref


def _fits(ref: EntityRef, etcd: EtcdDecl) -> bool:
    return not ref.cluster or not etcd.cluster or ref.cluster == etcd.cluster


def _authority(endpoint: str) -> str:
    return endpoint.split("://", 1)[-1].split("/", 1)[0]


def member_entity(etcd: EtcdDecl, member: EtcdMemberDecl) -> EntityRef:
    """The entity of a declared member."""
    return EntityRef(EntityKind.ETCD_MEMBER, member.name, etcd.cluster)


def cluster_entity(etcd: EtcdDecl) -> EntityRef:
    """The entity of a declared etcd cluster."""
    return EntityRef(EntityKind.ETCD_CLUSTER, etcd.name, etcd.cluster)


def declared(connections: Connections) -> tuple[tuple[EntityRef, ...], tuple[Relation, ...]]:
    """All entities and relations that the declarations of etcd clusters name."""
    entities: list[EntityRef] = []
    relations: list[Relation] = []
    for etcd in connections.etcd:
        cluster = cluster_entity(etcd)
        entities.append(cluster)
        for member in etcd.member:
            own = member_entity(etcd, member)
            entities.append(own)
            relations.append(Relation(own.key, RelationKind.MEMBER_OF, cluster.key))
            for kind, other in _around(etcd, member):
                entities.append(other)
                relations.append(Relation(own.key, kind, other.key))
    return tuple(sorted(set(entities))), tuple(sorted(set(relations)))


def _around(etcd: EtcdDecl, member: EtcdMemberDecl) -> list[tuple[RelationKind, EntityRef]]:
    around = [(RelationKind.RUNS_ON, EntityRef(EntityKind.HOST, host, etcd.cluster)) for host in member.hosts[:1]]
    if member.zone:
        around.append((RelationKind.IN_ZONE, EntityRef(EntityKind.ZONE, member.zone, etcd.cluster)))
    return around


def relations_from_alert(entities: Iterable[EntityRef], connections: Connections) -> tuple[Relation, ...]:
    """Relations that one alert's labels imply: its pods are part of its workload and service, and one runs on its
    host; an etcd member that nobody declared belongs to the etcd of its `cluster` label."""
    found = list(entities)
    by_kind: dict[EntityKind, EntityRef] = {e.kind: e for e in found}
    pods, member = [e for e in found if e.kind is EntityKind.POD], by_kind.get(EntityKind.ETCD_MEMBER)
    if member and member.cluster and member.cluster not in {etcd.cluster for etcd in connections.etcd}:
        cluster = EntityRef(EntityKind.ETCD_CLUSTER, member.cluster, member.cluster)
        return (Relation(member.key, RelationKind.MEMBER_OF, cluster.key),)
    ways = [(RelationKind.PART_OF, EntityKind.WORKLOAD), (RelationKind.PART_OF, EntityKind.SERVICE)]
    if len(pods) == 1:  # of several pods the labels do not say which one runs on the host
        ways.append((RelationKind.RUNS_ON, EntityKind.HOST))
    return tuple(Relation(pod.key, way, by_kind[kind].key) for pod in pods for way, kind in ways if kind in by_kind)
