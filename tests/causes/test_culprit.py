"""The entity that a cause blames, by evidence, by declaration and by topology."""

from dataclasses import replace

import pytest

from causes.culprit import culprit, display_name
from causes.score import score_cause
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.findings import Finding
from domain.scope import Scope
from domain.verdict import Outcome, TermResult
from tests.causes.scenes import MEMBER, NODE, POD, WORDS, cause, finding, scope, term

WORKLOAD = EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop")
SERVICE = EntityRef(EntityKind.SERVICE, "cart-web", "prod-a", "shop")
ETCD = EntityRef(EntityKind.ETCD_CLUSTER, "etcd-prod", "prod-a")


def etcd(name: str, cluster: str, *members: str) -> EtcdDecl:
    declared = [EtcdMemberDecl(name=m, endpoint="http://127.0.0.1:1") for m in members]
    return EtcdDecl(name=name, cluster=cluster, member=declared)


def there(*entities: EntityRef, relations: tuple[Relation, ...] = (), etcds: tuple[EtcdDecl, ...] = ()) -> Scope:
    return replace(scope("probe"), entities=entities, relations=relations, connections=Connections(etcd=list(etcds)))


def about(subject: str, measure: str = "etcd-fsync-one-slow", seen: bool = True) -> Finding:
    return finding(measure, seen, subject=subject)


def blamed(kind: EntityKind, where: Scope, *found: Finding, weights: tuple[float, ...] = ()) -> str | None:
    terms = [term(f.measure, w, -0.1) for f, w in zip(found, weights or (2.0,) * len(found), strict=True)]
    found_by = {f.measure: f for f in found}
    ref = culprit(where, score_cause(cause("one", *(terms or [term("any")]), about=kind), found_by), found_by)
    return ref.key if ref else None


DECLARED = (etcd("etcd-b", "prod-b", "b1"), etcd("etcd-prod", "prod-a", "etcd1", "etcd2"))


@pytest.mark.parametrize(
    ("where", "found", "key"),
    [
        (there(etcds=DECLARED), about("etcd2"), "EtcdMember/prod-a//etcd2"),
        (there(etcds=DECLARED), about("b1"), "EtcdMember/prod-b//b1"),
        (there(MEMBER), about("etcd1"), "EtcdMember/prod-a//etcd1"),
        (there(MEMBER, replace(MEMBER, name="etcd2")), about("etcd2"), "EtcdMember/prod-a//etcd2"),
        (there(MEMBER), about("stranger"), "EtcdMember/prod-a//etcd1"),
        (there(MEMBER, replace(MEMBER, name="etcd2")), about("stranger"), None),
        (there(MEMBER, replace(MEMBER, name="etcd2"), ETCD), about("stranger"), "EtcdCluster/prod-a//etcd-prod"),
        (there(MEMBER), about("etcd1", seen=False), "EtcdMember/prod-a//etcd1"),
        (there(etcds=DECLARED), about("etcd2", seen=False), None),
        (there(POD, etcds=DECLARED), about(""), "EtcdCluster/prod-a//etcd-prod"),
        (there(POD, etcds=DECLARED), about("etcd2", seen=False), "EtcdCluster/prod-a//etcd-prod"),
    ],
)
def test_a_member_is_the_one_that_the_evidence_names_or_the_only_one_there(
    where: Scope, found: Finding, key: str | None
) -> None:
    assert blamed(EntityKind.ETCD_MEMBER, where, found) == key


TWINS = (
    etcd("core", "prod-a", "etcd-0", "etcd-1", "etcd-2"),
    etcd("events", "prod-a", "etcd-0", "etcd-1", "etcd-2"),
    etcd("far", "prod-b", "etcd-0", "etcd-1", "etcd-2"),
)
ONE_OF_FAR = EntityRef(EntityKind.ETCD_MEMBER, "etcd-0", "prod-b")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["as declared", "the other way round"])
@pytest.mark.parametrize(
    ("where", "member", "cluster"),
    [
        ((replace(ETCD, name="core"),), "EtcdMember/prod-a//etcd-1", "EtcdCluster/prod-a//core"),
        ((replace(ETCD, name="events"),), "EtcdMember/prod-a//etcd-1", "EtcdCluster/prod-a//events"),
        ((ONE_OF_FAR,), "EtcdMember/prod-b//etcd-1", "EtcdCluster/prod-b//far"),
        ((replace(ONE_OF_FAR, cluster=""),), "EtcdMember///etcd-0", None),
    ],
    ids=["by its name", "by its name, the second of one cluster", "by its cluster label", "by nothing"],
)
def test_of_clusters_whose_members_share_names_the_incidents_own_is_blamed(
    where: tuple[EntityRef, ...], member: str, cluster: str | None, order: slice
) -> None:
    there_ = replace(there(*where, etcds=TWINS[order]), alerts=())
    assert blamed(EntityKind.ETCD_MEMBER, there_, about("etcd-1")) == member
    assert blamed(EntityKind.ETCD_CLUSTER, there_) == cluster


@pytest.mark.parametrize(("weights", "name"), [((2.0, 1.0), "etcd1"), ((1.0, 2.0), "etcd2"), ((2.0, 2.0), "etcd1")])
def test_the_weightiest_evidence_names_it_and_among_equals_the_first_measure(
    weights: tuple[float, ...], name: str
) -> None:
    found = (about("etcd1", "etcd-commit-one-slow"), about("etcd2", "etcd-slow-applies"))
    for order in (slice(None), slice(None, None, -1)):
        key = blamed(EntityKind.ETCD_MEMBER, there(etcds=DECLARED), *found[order], weights=weights[order])
        assert key == f"EtcdMember/prod-a//{name}"


@pytest.mark.parametrize(
    ("where", "key"),
    [
        (there(ETCD, etcds=DECLARED[:1]), "EtcdCluster/prod-a//etcd-prod"),
        (there(replace(ETCD, name="etcd-z"), ETCD), "EtcdCluster/prod-a//etcd-prod"),
        (there(replace(MEMBER, cluster="elsewhere"), etcds=DECLARED), "EtcdCluster/prod-a//etcd-prod"),
        (there(POD, etcds=DECLARED), "EtcdCluster/prod-a//etcd-prod"),
        (there(replace(POD, cluster="prod-b"), etcds=DECLARED), "EtcdCluster/prod-b//etcd-b"),
        (there(replace(POD, cluster="elsewhere"), etcds=DECLARED), None),
        (there(POD), None),
    ],
)
def test_an_etcd_is_the_one_that_the_incident_names_or_touches(where: Scope, key: str | None) -> None:
    assert blamed(EntityKind.ETCD_CLUSTER, where) == key


def on(start: EntityRef, kind: RelationKind, end: EntityRef) -> Relation:
    return Relation(start.key, kind, end.key)


RUNS = (on(POD, RelationKind.RUNS_ON, NODE),)
NODES = tuple(on(POD, RelationKind.RUNS_ON, replace(NODE, name=n)) for n in ("node-9", "node-4"))
NOT_READY = "node-not-ready"


@pytest.mark.parametrize(
    ("where", "found", "key"),
    [
        (there(POD, relations=RUNS), about("node-3", NOT_READY), "Host/prod-a//node-3"),
        (there(POD, relations=RUNS), about("node-8", NOT_READY), "Host/prod-a//node-8"),
        (there(replace(POD, cluster="")), about("node-8", NOT_READY), "Host///node-8"),
        (there(POD, relations=NODES), about("node-9", "conntrack-full"), "Host/prod-a//node-9"),
        (there(POD, relations=NODES), about("node-9", "probe-refused"), "Host/prod-a//node-4"),
        (there(POD, NODE), about("", NOT_READY), "Host/prod-a//node-3"),
        (there(POD, replace(NODE, cluster="zone-z")), about("node-3", NOT_READY), "Host/zone-z//node-3"),
        (there(POD), about("", NOT_READY), None),
        (there(POD, relations=(on(POD, RelationKind.PART_OF, WORKLOAD),)), about("", NOT_READY), None),
        (there(POD, relations=(on(SERVICE, RelationKind.RUNS_ON, NODE),)), about("", NOT_READY), None),
    ],
)  # fmt: skip
def test_a_host_is_the_one_that_a_check_of_nodes_names_or_that_the_pods_run_on(
    where: Scope, found: Finding, key: str | None
) -> None:
    assert blamed(EntityKind.HOST, where, found) == key


@pytest.mark.parametrize(
    ("where", "key"),
    [
        (there(*(replace(POD, cluster=c) for c in "zyxwvbutsr")), "Cluster/b//b"),
        (there(replace(POD, cluster="")), None),
        (there(replace(POD, cluster=""), NODE), "Cluster/prod-a//prod-a"),
    ],
)
def test_a_cluster_is_the_first_that_the_incident_names(where: Scope, key: str | None) -> None:
    assert blamed(EntityKind.CLUSTER, where) == key


PART = on(POD, RelationKind.PART_OF, WORKLOAD)


@pytest.mark.parametrize(
    ("where", "key"),
    [
        (there(POD, relations=(on(POD, RelationKind.PART_OF, SERVICE), PART)), "Workload/prod-a/shop/cart"),
        (there(replace(POD, name="shop-7d9f5c6b7-x2x4z")), "Workload/prod-a/shop/shop"),
        (there(replace(POD, name="shop-7d9f5c6b7-x2x4z"), relations=(replace(PART, start=POD.key),)),
         "Workload/prod-a/shop/shop"),
        (there(POD, relations=(replace(PART, end=f"{WORKLOAD.key}-b"), PART)), "Workload/prod-a/shop/cart"),
        (there(*(replace(POD, name=f"shop-{n}", cluster=f"c{n}", namespace=f"n{n}") for n in (2, 1))),
         "Workload/c1/n1/shop"),
        (there(SERVICE, WORKLOAD), "Workload/prod-a/shop/cart"),
        (there(SERVICE), "Service/prod-a/shop/cart-web"),
        (there(ETCD), "EtcdCluster/prod-a//etcd-prod"),
        (there(), None),
    ],
)  # fmt: skip
def test_a_workload_is_known_by_relation_or_by_the_name_that_its_pods_share(where: Scope, key: str | None) -> None:
    assert blamed(EntityKind.WORKLOAD, where) == key


def test_any_other_cause_is_about_the_first_pod_else_the_workload_else_the_service() -> None:
    pods = tuple(replace(POD, name=n) for n in ("p2", "p1"))
    found = [blamed(EntityKind.POD, there(*e)) for e in ((SERVICE, WORKLOAD, *pods), (SERVICE, WORKLOAD), (SERVICE,))]
    assert found == ["Pod/prod-a/shop/p1", "Workload/prod-a/shop/cart", "Service/prod-a/shop/cart-web"]
    assert blamed(EntityKind.POD, there(NODE)) is None


def test_an_entity_is_shown_with_its_namespace_if_it_has_one() -> None:
    assert (display_name(POD), display_name(NODE)) == ("shop/cart-7d9f", "node-3")


def test_of_two_unknown_nodes_the_one_with_the_weightiest_evidence_is_blamed() -> None:
    found = (about("node-8", "conntrack-full"), about("node-9", NOT_READY))
    assert blamed(EntityKind.HOST, there(POD), *found, weights=(1.0, 2.0)) == "Host/prod-a//node-9"
    assert blamed(EntityKind.HOST, there(POD), *found, weights=(2.0, 1.0)) == "Host/prod-a//node-8"


def test_history_supports_a_cause_and_names_nothing() -> None:
    past = TermResult("history", Outcome.FOR, 4.0, WORDS)
    scored = score_cause(cause("one", term("any"), about=EntityKind.ETCD_MEMBER), {}, (past,))
    assert culprit(there(MEMBER), scored, {}) == MEMBER
