"""Next steps name what the incident is about, and nothing that a shell would read."""

from dataclasses import replace

import pytest

from causes.catalogue import all_causes
from causes.steps import PROBE_FAILURES, filled, values_of
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from tests.causes.scenes import MEMBER, NODE, POD, finding, scope

WORKLOAD = EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop")
SERVICE = EntityRef(EntityKind.SERVICE, "a-cart", "prod-a", "shop")
THERE = scope("probe")
BARE = replace(THERE, entities=())


def link(start: EntityRef, kind: RelationKind, end: EntityRef) -> Relation:
    return Relation(start.key, kind, end.key)


def test_a_pod_gives_its_name_and_its_namespace() -> None:
    assert values_of(THERE, {}) == {"<ns>": "shop", "<pod>": "cart-7d9f"}
    assert values_of(BARE, {}) == {}


def test_of_several_pods_the_first_by_name_is_taken() -> None:
    others = tuple(replace(POD, name=f"cart-{n}", namespace=f"shop-{n}") for n in (3, 1, 2))
    found = values_of(replace(THERE, entities=others), {})
    assert found == {"<ns>": "shop-1", "<pod>": "cart-1"}


@pytest.mark.parametrize(
    ("entities", "namespace"),
    [
        ((WORKLOAD, SERVICE), "shop"),
        ((WORKLOAD, NODE), "shop"),
        ((WORKLOAD, replace(SERVICE, namespace="other")), None),
        ((NODE,), None),
        ((POD, replace(SERVICE, namespace="other")), "shop"),
    ],
)
def test_without_a_pod_the_namespace_is_the_one_that_all_share(
    entities: tuple[EntityRef, ...], namespace: str | None
) -> None:
    assert values_of(replace(THERE, entities=entities), {}).get("<ns>") == namespace


@pytest.mark.parametrize(
    ("relations", "found"),
    [
        ((link(POD, RelationKind.PART_OF, WORKLOAD),), {"deployment/<name>": "deployment/cart"}),
        ((link(POD, RelationKind.RUNS_ON, NODE),), {"<node>": "node-3"}),
        (
            (link(POD, RelationKind.RUNS_ON, NODE), link(POD, RelationKind.PART_OF, WORKLOAD)),
            {"deployment/<name>": "deployment/cart", "<node>": "node-3"},
        ),
        (
            (link(POD, RelationKind.PART_OF, WORKLOAD), link(POD, RelationKind.PART_OF, SERVICE)),
            {"deployment/<name>": "deployment/cart"},
        ),
        ((link(POD, RelationKind.PART_OF, SERVICE),), {}),
        ((link(replace(POD, name="other"), RelationKind.RUNS_ON, NODE),), {}),
        ((link(POD, RelationKind.DEPENDS_ON, WORKLOAD),), {}),
        (
            tuple(link(POD, RelationKind.RUNS_ON, replace(NODE, name=f"node-{n}")) for n in (9, 3, 5)),
            {"<node>": "node-3"},
        ),
    ],
)
def test_what_the_pod_is_part_of_and_runs_on_is_filled_in(
    relations: tuple[Relation, ...], found: dict[str, str]
) -> None:
    expected = {"<ns>": "shop", "<pod>": "cart-7d9f"} | found
    assert values_of(replace(THERE, relations=relations), {}) == expected
    assert values_of(replace(BARE, relations=relations), {}) == {}


def test_the_endpoints_of_the_incidents_own_etcd_are_joined_in_order() -> None:
    def etcd(*ports: int) -> EtcdDecl:
        members = [EtcdMemberDecl(name=f"m{p}", endpoint=f"http://10.0.0.1:{p}") for p in ports]
        return EtcdDecl(name=f"etcd-{ports[0]}", member=members)

    own = EntityRef(EntityKind.ETCD_CLUSTER, "etcd-2")
    there = replace(BARE, entities=(own,), connections=Connections(etcd=[etcd(3), etcd(2, 1)]))
    endpoints = "http://10.0.0.1:2,http://10.0.0.1:1"
    assert values_of(there, {}) == {"<every member>": endpoints}
    assert values_of(replace(there, entities=(MEMBER,)), {}) == {}
    step = next(s for c in all_causes().values() for s in c.next_steps if "<every member>" in s.en)
    (pasted,) = filled((step,), values_of(there, {}))
    assert "<全部成员>" in step.in_language("zh")
    assert pasted.en == step.en.replace("<every member>", endpoints)
    assert pasted.in_language("zh") == step.in_language("zh").replace("<全部成员>", endpoints)


@pytest.mark.parametrize(
    ("subject", "parts"),
    [
        ("http://10.0.0.7:8080/ready", ("10.0.0.7", "8080", "/ready")),
        ("http://10.0.0.7/ready?x=1", ("10.0.0.7", "80", "/ready")),
        ("https://cart.example", ("cart.example", "443", "")),
        ("tcp://10.0.0.7:9000", ("10.0.0.7", "9000", "")),
        ("tcp://10.0.0.7", None),
        ("http://:8080/ready", None),
        ("http://10.0.0.7:port/", None),
        ("10.0.0.7:8080", None),
        ("", None),
    ],
)
def test_host_port_and_path_are_those_of_the_probed_address(subject: str, parts: tuple[str, str, str] | None) -> None:
    found = values_of(BARE, {"probe-refused": finding("probe-refused", True, subject=subject)})
    host, port, path = parts or ("", "", "")
    expected = {"<host>": host, "<port>": port, "<pod-ip>": host} if parts else {}
    assert {mark: value for mark, value in found.items() if mark != "<path>"} == expected
    assert not path or found["<path>"] == path


@pytest.mark.parametrize("seen", [True, False, None])
def test_an_address_is_that_of_a_probe_that_was_seen_to_fail(seen: bool | None) -> None:
    found = {"probe-refused": finding("probe-refused", seen, subject="http://10.0.0.7:8080/")}
    assert bool(values_of(BARE, found)) is (seen is True)
    assert values_of(BARE, {"pod-crashed": finding("pod-crashed", True, subject="http://10.0.0.7:8080/")}) == {}


def test_the_first_failure_that_names_an_address_is_taken() -> None:
    silent, refused = (
        finding(m, True, subject=s) for m, s in (("probe-app-silent", ""), ("probe-refused", "http://10.0.0.7:8080/"))
    )
    assert values_of(BARE, {f.measure: f for f in (silent, refused)})["<host>"] == "10.0.0.7"


def test_every_measure_that_a_probe_fails_by_is_one_that_a_cause_reads() -> None:
    assert set(PROBE_FAILURES) <= {m for cause in all_causes().values() for m in cause.measures}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cart-7d9f", True),
        ("CART.9_x:1/a,b", True),
        ("$(id)", False),
        ("a b", False),
        ("a;b", False),
        ("-rf", False),
        ("a'b", False),
        ("购物", False),
        ("a\n", False),
    ],
)
def test_a_name_that_a_shell_would_read_stays_a_placeholder(name: str, safe: bool) -> None:
    there = replace(BARE, entities=(replace(POD, name=name),))
    assert ("<pod>" in values_of(there, {})) is safe


def test_known_placeholders_are_filled_in_both_languages_and_unknown_ones_stay() -> None:
    step = next(
        s for c in all_causes().values() for s in c.next_steps if "<pod>" in s.en and "<pod>" in s.in_language("zh")
    )
    (pasted,) = filled((step,), {"<pod>": "cart-7d9f", "<nothing>": "x"})
    assert pasted.en == step.en.replace("<pod>", "cart-7d9f")
    assert pasted.in_language("zh") == step.in_language("zh").replace("<pod>", "cart-7d9f")
    assert filled((step,), {}) == (step,)
