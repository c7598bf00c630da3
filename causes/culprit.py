"""The thing that a cause holds guilty: what its evidence names, or what the topology says."""

from collections.abc import Iterable, Mapping

from causes.score import ScoredCause
from domain.connections import EtcdDecl
from domain.entities import EntityKind, EntityRef, RelationKind
from domain.findings import Finding
from domain.scope import Scope
from domain.verdict import Outcome
from evidence.pods import workload

ETCD_THINGS = frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER})
ABOVE_POD = (EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE)
# What these measures are about is a node.
OF_NODES = ("node-", "conntrack-")
WORKLOADS = (EntityKind.WORKLOAD, EntityKind.SERVICE, EntityKind.POD)


def culprit(scope: Scope, judged: ScoredCause, findings: Mapping[str, Finding]) -> EntityRef | None:
    """The guilty thing as an entity; None when neither evidence nor topology names one of the right kind."""
    subjects = _subjects(judged, findings)
    match judged.cause.about:
        case EntityKind.ETCD_MEMBER:
            return _member(scope, subjects) or _etcd(scope)
        case EntityKind.ETCD_CLUSTER:
            return _etcd(scope)
        case EntityKind.HOST:
            return _host(scope, _subjects(judged, findings, OF_NODES))
        case EntityKind.CLUSTER:
            return _cluster(scope)
        case EntityKind.WORKLOAD:
            return _workload(scope) or _first(scope, WORKLOADS) or _etcd(scope)
    return _first(scope, ABOVE_POD)


def shown(ref: EntityRef) -> str:
    """`namespace/name`, or the name alone."""
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def _subjects(judged: ScoredCause, findings: Mapping[str, Finding], starts: tuple[str, ...] = ("",)) -> list[str]:
    """What the speaking evidence is about, the weightiest first; of measures with one of these beginnings."""
    speaking = sorted((t for t in judged.terms if t.outcome is Outcome.FOR), key=lambda t: (-t.weight, t.measure))
    told = [findings[t.measure].subject for t in speaking if t.measure in findings and t.measure.startswith(starts)]
    return [subject for subject in told if subject]


def _member(scope: Scope, subjects: Iterable[str]) -> EntityRef | None:
    declared = {m.name: etcd for etcd in scope.connections.etcd for m in etcd.member}
    named = {e.name: e for e in scope.of_kind(EntityKind.ETCD_MEMBER)}
    for subject in subjects:
        if subject in declared:
            return EntityRef(EntityKind.ETCD_MEMBER, subject, declared[subject].cluster)
        if subject in named:
            return named[subject]
    return next(iter(named.values())) if len(named) == 1 else None


def _etcd(scope: Scope) -> EntityRef | None:
    """The etcd cluster that the incident names, or the one declared that it touches."""
    if told := scope.of_kind(EntityKind.ETCD_CLUSTER):
        return told[0]
    names = {e.name for e in scope.of_kind(EntityKind.ETCD_MEMBER)}
    hit = next((d for d in scope.connections.etcd if names & {m.name for m in d.member}), None)
    hit = hit or next(iter(_of_clusters(scope)), None)
    return EntityRef(EntityKind.ETCD_CLUSTER, hit.name, hit.cluster) if hit else None


def _of_clusters(scope: Scope) -> list[EtcdDecl]:
    clusters = {e.cluster for e in scope.entities}
    return [d for d in scope.connections.etcd if d.cluster in clusters]


def _host(scope: Scope, subjects: list[str]) -> EntityRef | None:
    known = {e.name: e for e in (*_ends(scope, RelationKind.RUNS_ON), *scope.of_kind(EntityKind.HOST))}
    told = next((known[s] for s in subjects if s in known), None)
    if told or not subjects:
        return told or next(iter(known.values()), None)
    cluster = _cluster(scope)
    return EntityRef(EntityKind.HOST, subjects[0], cluster.name if cluster else "")


def _cluster(scope: Scope) -> EntityRef | None:
    names = sorted({e.cluster for e in scope.entities if e.cluster})
    return EntityRef(EntityKind.CLUSTER, names[0], names[0]) if names else None


def _workload(scope: Scope) -> EntityRef | None:
    """By relation; without one by the name that the pods of a deployment share."""
    told = [e for e in _ends(scope, RelationKind.PART_OF) if e.kind is EntityKind.WORKLOAD]
    pods, name = scope.of_kind(EntityKind.POD), workload(scope)
    if told or not pods or not name:
        return told[0] if told else None
    return EntityRef(EntityKind.WORKLOAD, name, pods[0].cluster, pods[0].namespace)


def _ends(scope: Scope, kind: RelationKind) -> list[EntityRef]:
    """What the incident's pods hang on, in order."""
    pods = {e.key for e in scope.of_kind(EntityKind.POD)}
    return [EntityRef.from_key(r.end) for r in sorted(scope.relations) if r.kind is kind and r.start in pods]


def _first(scope: Scope, kinds: Iterable[EntityKind]) -> EntityRef | None:
    return next((found[0] for kind in kinds if (found := scope.of_kind(kind))), None)
