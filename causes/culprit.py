"""The culprit of a cause: the entity that its evidence names, or that the topology gives."""

from collections.abc import Iterable, Mapping, Sequence, Set

from causes.score import ScoredCause
from domain.connections import EtcdDecl
from domain.entities import EntityKind, EntityRef, RelationKind
from domain.errors import Refused
from domain.findings import Finding
from domain.scope import Scope
from domain.verdict import Outcome
from evidence.etcd_choice import etcd_of
from evidence.pods import workload

ETCD_KINDS = frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER})
APPLICATION_KINDS = (EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE)
WORKLOAD_FIRST = (EntityKind.WORKLOAD, EntityKind.SERVICE, EntityKind.POD)
# The subject of a finding of these measures is a node.
NODE_MEASURES = ("node-", "conntrack-")


def culprit(scope: Scope, scored: ScoredCause, findings: Mapping[str, Finding]) -> EntityRef | None:
    """The entity that the cause blames; None when neither evidence nor topology names one of the right kind."""
    match scored.cause.about:
        case EntityKind.ETCD_MEMBER:
            return _etcd_member(scope, _supporting_subjects(scored, findings)) or _etcd_cluster(scope)
        case EntityKind.ETCD_CLUSTER:
            return _etcd_cluster(scope)
        case EntityKind.HOST:
            return _host(scope, _supporting_subjects(scored, findings, NODE_MEASURES))
        case EntityKind.CLUSTER:
            return _kubernetes_cluster(scope)
        case EntityKind.WORKLOAD:
            return _workload(scope) or _first_of_kinds(scope, WORKLOAD_FIRST) or _etcd_cluster(scope)
    return _first_of_kinds(scope, APPLICATION_KINDS)


def display_name(ref: EntityRef) -> str:
    """`namespace/name`, or the name alone."""
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def _supporting_subjects(
    scored: ScoredCause, findings: Mapping[str, Finding], prefixes: tuple[str, ...] = ("",)
) -> list[str]:
    """The subjects of the findings that support the cause, the heaviest first; of measures with these prefixes."""
    supporting = sorted((t for t in scored.terms if t.outcome is Outcome.FOR), key=lambda t: (-t.weight, t.measure))
    found = [findings[t.measure] for t in supporting if t.measure in findings and t.measure.startswith(prefixes)]
    return [finding.subject for finding in found if finding.subject]


def _etcd_member(scope: Scope, subjects: Iterable[str]) -> EntityRef | None:
    """The first subject that is a known member of the incident's etcd, else the incident's only member.

    Clusters name their members alike, so a name alone says nothing of the cluster.
    """
    own = _own_etcd(scope)
    in_incident = {entity.name: entity for entity in _members_of(scope, own)}
    for subject in subjects:
        if etcd := _with_member([own] if own else scope.connections.etcd, {subject}):
            return EntityRef(EntityKind.ETCD_MEMBER, subject, etcd.cluster)
        if subject in in_incident:
            return in_incident[subject]
    return next(iter(in_incident.values())) if len(in_incident) == 1 else None


def _members_of(scope: Scope, etcd: EtcdDecl | None) -> list[EntityRef]:
    """The incident's members, without those that another cluster's label excludes."""
    members = scope.of_kind(EntityKind.ETCD_MEMBER)
    return [m for m in members if etcd is None or not (m.cluster and etcd.cluster) or m.cluster == etcd.cluster]


def _with_member(etcds: Sequence[EtcdDecl], names: Set[str]) -> EtcdDecl | None:
    """The one cluster that has a member of such a name; None where several have."""
    found = [etcd for etcd in etcds if names & {member.name for member in etcd.member}]
    return found[0] if len(found) == 1 else None


def _etcd_cluster(scope: Scope) -> EntityRef | None:
    """The etcd that the incident is about as it is declared, else the one that the incident names."""
    named = scope.of_kind(EntityKind.ETCD_CLUSTER)
    if named and not any(named[0].cluster in ("", etcd.cluster) for etcd in scope.connections.etcd):
        return named[0]
    members = {entity.name for entity in scope.of_kind(EntityKind.ETCD_MEMBER)}
    if own := _own_etcd(scope) or _with_member(scope.connections.etcd, members):
        declared = {own.name, own.cluster}
        fitting = (ref for ref in named if declared & {ref.name, *ref.aliases} and ref.cluster in ("", own.cluster))
        return next(fitting, EntityRef(EntityKind.ETCD_CLUSTER, own.name, own.cluster))
    return next(iter(named), None)


def _own_etcd(scope: Scope) -> EtcdDecl | None:
    """The declared etcd that the incident is about, or that serves its clusters; None where several fit alike."""
    try:
        return etcd_of(scope)
    except Refused:
        clusters = {entity.cluster for entity in scope.entities if entity.cluster}
        serving = [etcd for etcd in scope.connections.etcd if etcd.cluster in clusters]
        return serving[0] if len(serving) == 1 else None


def _host(scope: Scope, subjects: list[str]) -> EntityRef | None:
    """The first subject that is a known node; without subjects the first known node, else the first subject."""
    nodes = (*_related_to_pods(scope, RelationKind.RUNS_ON), *scope.of_kind(EntityKind.HOST))
    known = {node.name: node for node in nodes}
    for subject in subjects:
        if subject in known:
            return known[subject]
    if not subjects:
        return next(iter(known.values()), None)
    cluster = _kubernetes_cluster(scope)
    return EntityRef(EntityKind.HOST, subjects[0], cluster.name if cluster else "")


def _kubernetes_cluster(scope: Scope) -> EntityRef | None:
    names = sorted({entity.cluster for entity in scope.entities if entity.cluster})
    return EntityRef(EntityKind.CLUSTER, names[0], names[0]) if names else None


def _workload(scope: Scope) -> EntityRef | None:
    """The workload that a relation names, else the one whose name the pods of a deployment share."""
    related = [e for e in _related_to_pods(scope, RelationKind.PART_OF) if e.kind is EntityKind.WORKLOAD]
    if related:
        return related[0]
    pods, name = scope.of_kind(EntityKind.POD), workload(scope)
    if not pods or not name:
        return None
    return EntityRef(EntityKind.WORKLOAD, name, pods[0].cluster, pods[0].namespace)


def _related_to_pods(scope: Scope, kind: RelationKind) -> list[EntityRef]:
    """The ends of the relations of one kind that start at the incident's pods, in order."""
    pods = {entity.key for entity in scope.of_kind(EntityKind.POD)}
    return [EntityRef.from_key(r.end) for r in sorted(scope.relations) if r.kind is kind and r.start in pods]


def _first_of_kinds(scope: Scope, kinds: Iterable[EntityKind]) -> EntityRef | None:
    return next((entities[0] for kind in kinds if (entities := scope.of_kind(kind))), None)
