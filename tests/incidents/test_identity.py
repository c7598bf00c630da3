"""Many names, one thing."""

import pytest

from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef, RelationKind
from incidents.identity import compatible, declared, relations_from_alert, resolve

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
