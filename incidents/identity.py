"""Resolves the different names that monitoring systems use to one entity. Pure.

A name is never global: it holds within its cluster and namespace. Where exactly one cluster is declared, an alert that
names none is about that one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind

LOOPBACK = frozenset({"127.0.0.1", "::1", "[::1]", "localhost"})
ETCD_KINDS = frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER})
Labels = Mapping[str, str]
NO_LABELS: Labels = MappingProxyType({})


def resolve(found: Iterable[EntityRef], connections: Connections, labels: Labels = NO_LABELS) -> tuple[EntityRef, ...]:
    """The canonical entities, each once, in key order. A name that is not declared stays as it is.

    `labels` are the alert's: an etcd whose selector contradicts them is not meant.
    """
    resolved: dict[str, EntityRef] = {}
    for ref in (canonical(ref, connections, labels) for ref in found):
        same = resolved.get(ref.key, ref)
        resolved[ref.key] = replace(ref, aliases=tuple(sorted({*same.aliases, *ref.aliases} - {""})))
    return tuple(resolved[key] for key in sorted(resolved) if resolved[key].name)


def canonical(ref: EntityRef, connections: Connections, labels: Labels = NO_LABELS) -> EntityRef:
    """The entity that is meant by these names, within the columns of the record."""
    if ref.kind in ETCD_KINDS:
        return _etcd(ref, connections, labels).bounded()
    found = _host(ref, connections) if ref.kind is EntityKind.HOST else ref
    return _scoped(found, connections).bounded()


def only_cluster(connections: Connections) -> str:
    """The one cluster that is declared; empty when none or several are."""
    names = clusters_of(connections)
    return next(iter(names)) if len(names) == 1 else ""


def clusters_of(connections: Connections) -> frozenset[str]:
    """The names of all clusters that are declared."""
    declared = {e.cluster for e in connections.etcd} | {k.name for k in connections.kubernetes}
    declared |= {name for server in connections.prometheus for name in server.clusters}
    return frozenset(declared - {""})


def names_of(ref: EntityRef) -> frozenset[str]:
    """All names that identify an entity; a loopback address does not."""
    found = {n for n in (ref.name, *ref.aliases) if n}
    return frozenset(n for n in found | {n[1:-1] for n in found if n.startswith("[")} if n not in LOOPBACK)


def compatible(one: str, other: str) -> bool:
    """Whether two names may mean the same entity. Two addresses with different ports are two processes."""
    first, second = one.rpartition(":")[2], other.rpartition(":")[2]
    return one == other or ":" not in one or ":" not in other or first == second


def _scoped(ref: EntityRef, connections: Connections) -> EntityRef:
    """The entity within the only declared cluster, unless it names one itself; a nameless cluster is that one."""
    cluster = ref.cluster or only_cluster(connections)
    name = cluster if ref.kind is EntityKind.CLUSTER and not ref.name else ref.name
    return replace(ref, name=name, cluster=cluster)


def _host(ref: EntityRef, connections: Connections) -> EntityRef:
    """A declared member's machine, by one of its names, or by its address when only one member has it."""
    pairs = [(etcd, m) for etcd in connections.etcd for m in etcd.member if m.hosts and _fits(ref, etcd)]
    names = names_of(ref)
    named = [(e, m) for e, m in pairs if names & set(m.hosts)]
    found = named or [(e, m) for e, m in pairs if host_part(m.endpoint) in names]
    machines = {(m.hosts[0], e.cluster) for e, m in found}
    if len(machines) != 1:
        return ref
    name, cluster = machines.pop()
    return EntityRef(EntityKind.HOST, name, cluster, "", ref.aliases)


def _etcd(ref: EntityRef, connections: Connections, labels: Labels) -> EntityRef:
    """A declared etcd or its member; where the names fit none, the etcd that must be meant gives the cluster."""
    if ref.kind is EntityKind.ETCD_MEMBER and (member := _member(ref, connections)):
        return member
    etcd = declared_etcd(ref, connections, labels)
    if etcd is None:
        return _scoped(ref, connections)
    return cluster_entity(etcd) if ref.kind is EntityKind.ETCD_CLUSTER else replace(ref, cluster=etcd.cluster)


def declared_etcd(ref: EntityRef, connections: Connections, labels: Labels = NO_LABELS) -> EtcdDecl | None:
    """The declared etcd that is meant: by its name or cluster, else the only one that the labels do not contradict."""
    fitting = [etcd for etcd in connections.etcd if _fits(ref, etcd) and _selected(etcd, labels)]
    named = [e for e in connections.etcd if ref.kind is EntityKind.ETCD_CLUSTER and ref.name in {e.name, e.cluster}]
    found = named or fitting
    return found[0] if len(found) == 1 else None


def _selected(etcd: EtcdDecl, labels: Labels) -> bool:
    """Whether its selector agrees with the labels that the alert still has."""
    return all(labels.get(label, value) == value for label, value in etcd.selector.items())


def _member(ref: EntityRef, connections: Connections) -> EntityRef | None:
    """By any exact name first; by a bare host only when a single member has it."""
    pairs = [(etcd, member) for etcd in connections.etcd for member in etcd.member if _fits(ref, etcd)]
    names = {ref.name, *ref.aliases} - {""}
    for etcd, member in pairs:
        if names & {member.name, member.instance, member.endpoint, _authority(member.endpoint)}:
            return member_entity(etcd, member)
    named = [(e, m) for e, m in pairs if names & set(m.hosts)]
    found = named or [(e, m) for e, m in pairs if host_part(m.endpoint) in names_of(ref)]
    return member_entity(*found[0]) if len(found) == 1 else None


def _fits(ref: EntityRef, etcd: EtcdDecl) -> bool:
    return not ref.cluster or not etcd.cluster or ref.cluster in {etcd.cluster, etcd.name}


def _authority(endpoint: str) -> str:
    return endpoint.split("://", 1)[-1].split("/", 1)[0]


def host_part(endpoint: str) -> str:
    """The host of an endpoint's address, an IPv6 address without its brackets."""
    return _authority(endpoint).rsplit(":", 1)[0].removeprefix("[").removesuffix("]")


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


def relations_from_alert(
    entities: Iterable[EntityRef], connections: Connections, labels: Labels = NO_LABELS
) -> tuple[Relation, ...]:
    """Relations that one alert's entities imply.

    Its pods are part of its workload and service, and one runs on its host; a job is part of what made it; an etcd
    member that nobody declared is one of the etcd that is meant.
    """
    found = list(entities)
    known = {member_entity(etcd, member).key for etcd in connections.etcd for member in etcd.member}
    members = [e for e in found if e.kind is EntityKind.ETCD_MEMBER and e.key not in known]
    etcds = [(m, etcd) for m in members if (etcd := _etcd_of(m, connections, labels))]
    return (
        *(Relation(m.key, RelationKind.MEMBER_OF, etcd.key) for m, etcd in etcds),
        *_relations_of_pods(found),
        *_relations_of_jobs(found),
    )


def _etcd_of(member: EntityRef, connections: Connections, labels: Labels) -> EntityRef | None:
    """The etcd that a member belongs to: the declared one, else that of its cluster or of its scrape job."""
    if etcd := declared_etcd(member, connections, labels):
        return cluster_entity(etcd)
    job = labels.get("job", "")
    name = member.cluster or (job if "etcd" in job.lower() else "")
    return EntityRef(EntityKind.ETCD_CLUSTER, name, member.cluster).bounded() if name else None


def _relations_of_pods(found: list[EntityRef]) -> list[Relation]:
    by_kind = {e.kind: e for e in found}
    pods = [e for e in found if e.kind is EntityKind.POD]
    ways = [(RelationKind.PART_OF, EntityKind.WORKLOAD), (RelationKind.PART_OF, EntityKind.SERVICE)]
    if len(pods) == 1:  # of several pods the labels do not say which one runs on the host
        ways.append((RelationKind.RUNS_ON, EntityKind.HOST))
    return [Relation(pod.key, way, by_kind[kind].key) for pod in pods for way, kind in ways if kind in by_kind]


def _relations_of_jobs(found: list[EntityRef]) -> list[Relation]:
    """Of two workloads without a pod the longer name is the Job, the other the CronJob that made it."""
    workloads = sorted((e for e in found if e.kind is EntityKind.WORKLOAD), key=lambda e: (-len(e.name), e.name))
    if len(workloads) != 2 or any(e.kind is EntityKind.POD for e in found):
        return []
    return [Relation(workloads[0].key, RelationKind.PART_OF, workloads[1].key)]
