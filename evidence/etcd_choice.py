"""Which of the declared etcd clusters is an incident about?"""

from domain.connections import EtcdDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import Refused
from domain.scope import Scope
from domain.text import Text

# The points of a fact for a cluster: a member or the cluster by name, a member's host,
# the `cluster` label, and the labels that the cluster's own series carry.
BY_NAME, BY_HOST, BY_CLUSTER, BY_LABELS = 8, 4, 2, 1
WORDS = ("etcd", "apiserver", "kubeapi", "api server")


def etcds(scope: Scope) -> list[EtcdDecl]:
    """The declared etcd clusters that the incident is about, the surest first; none when it is about something else.

    A host that carries a declared member counts as that member. A cluster label that contradicts always excludes.
    """
    fitting = [etcd for etcd in scope.connections.etcd if not _contradicted(scope, etcd)]
    points = {etcd.name: _points(scope, etcd) for etcd in fitting}
    chosen = [etcd for etcd in fitting if points[etcd.name] >= BY_HOST]
    if not chosen and _about_etcd(scope, fitting):
        most = max(points.values(), default=0)
        chosen = [etcd for etcd in fitting if points[etcd.name] == most]
    return sorted(chosen, key=lambda etcd: -points[etcd.name])


def etcd_of(scope: Scope) -> EtcdDecl:
    """The one cluster. Raises Refused when none fits, or several fit equally well."""
    found = etcds(scope)
    if not found:
        raise Refused(Text("no declared etcd cluster fits the incident; declare it with [[etcd]]"))
    if len(found) > 1 and _points(scope, found[0]) == _points(scope, found[1]):
        names = ", ".join(sorted(etcd.name for etcd in found))
        raise Refused(
            Text("the incident fits several etcd clusters ({names}); put a `cluster` label on its alerts", names=names)
        )
    return found[0]


def _points(scope: Scope, etcd: EtcdDecl) -> int:
    best = max((_entity_points(ref, etcd) for ref in scope.entities), default=0)
    labelled = BY_CLUSTER if etcd.cluster and etcd.cluster in _clusters(scope) else 0
    return best + labelled + (BY_LABELS if _selected(scope, etcd) else 0)


def _entity_points(ref: EntityRef, etcd: EtcdDecl) -> int:
    """How surely this entity belongs to the cluster; 0 where it does not, or is of another kind."""
    if ref.cluster and etcd.cluster and ref.cluster != etcd.cluster:
        return 0
    names = {ref.name, *ref.aliases}
    match ref.kind:
        case EntityKind.ETCD_CLUSTER:
            return BY_NAME if names & {etcd.name, etcd.cluster} - {""} else 0
        case EntityKind.ETCD_MEMBER:
            return BY_NAME if any(names & {m.name, m.instance, m.endpoint} for m in etcd.member) else 0
        case EntityKind.HOST:
            return BY_HOST if any(names & set(m.hosts) for m in etcd.member) else 0
    return 0


def _clusters(scope: Scope) -> set[str]:
    labels = {alert.labels.get("cluster", "") for alert in scope.alerts}
    return (labels | {entity.cluster for entity in scope.entities}) - {""}


def _contradicted(scope: Scope, etcd: EtcdDecl) -> bool:
    clusters = _clusters(scope)
    return bool(etcd.cluster and clusters) and etcd.cluster not in clusters


def _selected(scope: Scope, etcd: EtcdDecl) -> bool:
    wanted = etcd.selector.items()
    return bool(wanted) and any(wanted <= alert.labels.items() for alert in scope.alerts)


def _about_etcd(scope: Scope, fitting: list[EtcdDecl]) -> bool:
    """Whether an alert names etcd, or the API server, which depends on the etcd of its cluster."""
    text = any(word in f"{a.name} {a.title}".lower() for a in scope.alerts for word in WORDS)
    return text or any(_selected(scope, etcd) for etcd in fitting)
