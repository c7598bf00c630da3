"""Many names, one thing."""

import pytest

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from incidents.identity import compatible, declared, names_of, relations_from_alert, resolve

MEMBERS = [
    EtcdMemberDecl(name=f"etcd{n}", endpoint=f"https://10.0.0.{n}:2379", instance=f"10.0.0.{n}:2381", zone=f"az-{n}",
                   host=[f"db-{n}", f"db-{n}.example"])
    for n in (1, 2)
]  # fmt: skip
DECLARED = Connections(etcd=[EtcdDecl(name="main", cluster="prod-a", member=MEMBERS)])


@pytest.mark.parametrize(
    ("name", "aliases", "cluster"),
    [
        ("etcd1", (), "prod-a"),
        ("10.0.0.1:2381", (), ""),
        ("10.0.0.1:2379", (), "prod-a"),
        ("https://10.0.0.1:2379", (), ""),
        ("db-1", ("Database one", "10.0.0.1"), "prod-a"),
        ("Database one", ("db-1.example",), ""),
    ],
)
def test_every_name_of_a_declared_member_means_the_same_member(
    name: str, aliases: tuple[str, ...], cluster: str
) -> None:
    (found,) = resolve([EntityRef(EntityKind.ETCD_MEMBER, name, cluster, "", aliases)], DECLARED)
    assert found.key == "EtcdMember/prod-a//etcd1"


def test_a_members_host_is_found_by_its_name_also_where_all_members_share_a_loopback_address() -> None:
    members = [EtcdMemberDecl(name=f"etcd{n}", endpoint=f"http://127.0.0.1:{n}379", host=f"db-{n}") for n in (1, 2)]
    own = Connections(etcd=[EtcdDecl(name="main", cluster="prod-a", member=members)])
    (found,) = resolve([EntityRef(EntityKind.ETCD_MEMBER, "db-2", "prod-a", "", ("127.0.0.1",))], own)
    assert found.key == "EtcdMember/prod-a//etcd2"


@pytest.mark.parametrize(("name", "aliases"), [("db-1", ()), ("db-1.example", ()), ("10.0.0.1", ("10.0.0.1:9100",))])
def test_the_machine_of_a_declared_member_is_one_host(name: str, aliases: tuple[str, ...]) -> None:
    (found,) = resolve([EntityRef(EntityKind.HOST, name, "", "", aliases)], DECLARED)
    assert found.key == "Host/prod-a//db-1"


def test_a_member_of_another_cluster_is_another_member() -> None:
    (found,) = resolve([EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-b")], DECLARED)
    assert found.key == "EtcdMember/prod-b//etcd1"


def test_two_ports_of_one_address_are_two_processes() -> None:
    assert not compatible("10.0.0.1:2379", "10.0.0.1:2381")
    assert compatible("db-1", "10.0.0.1:2379") and compatible("10.0.0.1:2379", "10.0.0.1:2379")


def test_undeclared_members_of_one_cluster_label_belong_together_and_declared_ones_to_what_was_declared() -> None:
    stray = EntityRef(EntityKind.ETCD_MEMBER, "10.9.9.9:2379", "prod-b")
    assert [r.end for r in relations_from_alert([stray], DECLARED)] == ["EtcdCluster/prod-b//prod-b"]
    own = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")
    assert relations_from_alert([own], DECLARED) == ()
    assert ("EtcdMember/prod-a//etcd1", "EtcdCluster/prod-a//main") in {(r.start, r.end) for r in declared(DECLARED)[1]}


def test_the_order_of_what_was_found_does_not_matter() -> None:
    refs = [EntityRef(EntityKind.HOST, "n1", "c", "", ("a",)), EntityRef(EntityKind.HOST, "n1", "c", "", ("b",))]
    assert resolve(refs, DECLARED) == resolve(refs[::-1], DECLARED)
    assert resolve(refs, DECLARED)[0].aliases == ("a", "b")


def test_each_pod_of_an_alert_is_part_of_its_workload_and_only_a_single_one_runs_on_its_host() -> None:
    pods = [EntityRef(EntityKind.POD, f"cart-{n}", "a", "shop") for n in range(2)]
    workload, host = EntityRef(EntityKind.WORKLOAD, "cart", "a", "shop"), EntityRef(EntityKind.HOST, "n1", "a")
    part_of = [(p.key, RelationKind.PART_OF, workload.key) for p in pods]
    assert [(r.start, r.kind, r.end) for r in relations_from_alert([*pods, workload, host], DECLARED)] == part_of
    one = [(r.start, r.kind, r.end) for r in relations_from_alert([pods[0], workload, host], DECLARED)]
    assert one == [part_of[0], (pods[0].key, RelationKind.RUNS_ON, host.key)]


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "[::1]", "localhost", ""])
def test_a_name_that_everything_has_tells_nothing(name: str) -> None:
    assert names_of(EntityRef(EntityKind.HOST, name, aliases=("db-1", name))) == {"db-1"}
    assert names_of(EntityRef(EntityKind.HOST, "db-1", aliases=(name,))) == {"db-1"}


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        ("10.0.0.1:2379", "db-1:2379", True),
        ("[fd00::1]:2379", "db-1:2379", True),
        ("10.0.0.1:2379", "db-1", True),
        ("db-1", "db-2", True),
        ("10.0.0.1:2379", "db-1:2380", False),
    ],
)
def test_two_names_may_be_one_thing_unless_their_ports_differ(one: str, other: str, may_be_one: bool) -> None:
    assert compatible(one, other) is compatible(other, one) is may_be_one


def test_what_was_found_comes_in_key_order_without_empty_names() -> None:
    refs = [EntityRef(EntityKind.POD, f"p{n}", "a", "shop", ("", f"alias-{n}")) for n in (3, 1, 2)]
    assert [(r.name, r.aliases) for r in resolve(refs, DECLARED)] == [(f"p{n}", (f"alias-{n}",)) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "cluster", "key"),
    [
        ("main", "", "EtcdCluster/prod-a//main"),
        ("prod-a", "", "EtcdCluster/prod-a//main"),
        ("any", "prod-a", "EtcdCluster/prod-a//main"),
        ("any", "", "EtcdCluster/prod-a//main"),
        ("any", "prod-b", "EtcdCluster/prod-b//any"),
    ],
)
def test_an_etcd_cluster_is_known_by_its_name_or_by_the_cluster_that_it_serves(
    name: str, cluster: str, key: str
) -> None:
    (found,) = resolve([EntityRef(EntityKind.ETCD_CLUSTER, name, cluster)], DECLARED)
    assert found.key == key


def test_the_only_declared_etcd_takes_alerts_that_name_none_also_without_a_cluster() -> None:
    nameless = Connections(etcd=[EtcdDecl(name="main", member=MEMBERS)])
    for name in ("any", "main"):
        assert [r.key for r in resolve([EntityRef(EntityKind.ETCD_CLUSTER, name)], nameless)] == ["EtcdCluster///main"]
    (member,) = resolve([EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-b")], nameless)
    assert member.key == "EtcdMember///etcd1"


@pytest.mark.parametrize(
    ("ref", "key"),
    [
        (EntityRef(EntityKind.POD, "db-1", "prod-a", "shop"), "Pod/prod-a/shop/db-1"),
        (EntityRef(EntityKind.HOST, "db-1", "prod-b"), "Host/prod-b//db-1"),
        (EntityRef(EntityKind.HOST, "10.0.0.9", "prod-a"), "Host/prod-a//10.0.0.9"),
    ],
)
def test_what_is_no_declared_machine_stands_for_itself(ref: EntityRef, key: str) -> None:
    assert [r.key for r in resolve([ref], DECLARED)] == [key]


def test_a_declared_machine_keeps_the_other_names_that_it_was_found_by() -> None:
    (found,) = resolve([EntityRef(EntityKind.HOST, "10.0.0.1", "", "", ("10.0.0.1:9100",))], DECLARED)
    assert found.aliases == ("10.0.0.1:9100",)


def bare(*endpoints: str, host: str = "") -> Connections:
    """An etcd whose members are known by their endpoints, and by one host's name if given."""
    members = [EtcdMemberDecl(name=f"e{n}", endpoint=e, host=host) for n, e in enumerate(endpoints)]
    return Connections(etcd=[EtcdDecl(name="main", cluster="prod-a", member=members)])


@pytest.mark.parametrize(
    ("endpoints", "name", "member"),
    [
        (("https://10.0.0.1:2379", "https://10.0.0.2:2379"), "10.0.0.2", "e1"),
        (("https://10.0.0.1:2379", "https://10.0.0.2:2379"), "10.0.0.2:9100", "10.0.0.2:9100"),
        (("https://10.0.0.1:2379", "https://10.0.0.1:2380"), "10.0.0.1", "10.0.0.1"),
        (("http://127.0.0.1:2379",), "127.0.0.1", "127.0.0.1"),
        (("https://[fd00::1]:2379",), "[fd00::1]", "e0"),
        (("https://10.0.0.1:2379/base/path",), "10.0.0.1:2379", "e0"),
        (("10.0.0.1:2379",), "10.0.0.1:2379", "e0"),
        (("10.0.0.1:2379",), "10.0.0.1", "e0"),
    ],
)  # fmt: skip
def test_a_bare_address_means_the_only_member_that_has_it(endpoints: tuple[str, ...], name: str, member: str) -> None:
    (found,) = resolve([EntityRef(EntityKind.ETCD_MEMBER, name, "prod-a", "", ("",))], bare(*endpoints))
    assert found.key == f"EtcdMember/prod-a//{member}"


@pytest.mark.parametrize(
    ("endpoint", "host", "name", "found"),
    [
        ("https://[fd00::1]:2379", "db-1", "[fd00::1]", "db-1"),
        ("https://10.0.0.1:2379", "db-1", "10.0.0.1", "db-1"),
        ("https://10.0.0.1:2379", "", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_machine_is_found_by_its_members_address_where_its_name_is_declared(
    endpoint: str, host: str, name: str, found: str
) -> None:
    (ref,) = resolve([EntityRef(EntityKind.HOST, name, "prod-a")], bare(endpoint, host=host))
    assert ref.key == f"Host/prod-a//{found}"


def test_a_declaration_names_clusters_members_their_first_hosts_and_zones_and_what_hangs_on_what() -> None:
    entities, relations = declared(DECLARED)
    assert [e.key for e in entities] == [
        "EtcdCluster/prod-a//main", "EtcdMember/prod-a//etcd1", "EtcdMember/prod-a//etcd2",
        "Host/prod-a//db-1", "Host/prod-a//db-2", "Zone/prod-a//az-1", "Zone/prod-a//az-2",
    ]  # fmt: skip
    assert relations == tuple(
        Relation(f"EtcdMember/prod-a//etcd{n}", kind, end)
        for n in (1, 2)
        for kind, end in (
            (RelationKind.IN_ZONE, f"Zone/prod-a//az-{n}"),
            (RelationKind.MEMBER_OF, "EtcdCluster/prod-a//main"),
            (RelationKind.RUNS_ON, f"Host/prod-a//db-{n}"),
        )
    )
    entities, relations = declared(bare("https://10.0.0.1:2379"))
    assert [e.kind for e in entities] == [EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER] and len(relations) == 1


def test_an_undeclared_member_without_a_cluster_is_one_of_the_only_declared_etcd_or_of_its_scrape_job() -> None:
    member = [EntityRef(EntityKind.ETCD_MEMBER, "10.9.9.9:2379")]
    assert [r.end for r in relations_from_alert(member, DECLARED)] == ["EtcdCluster/prod-a//main"]
    assert [r.end for r in relations_from_alert(member, Connections(), {"job": "kube-etcd"})] == [
        "EtcdCluster///kube-etcd"
    ]
    assert relations_from_alert(member, Connections()) == ()
