"""Machines' names and pods' owners are learnt from real answers of Prometheus and of Kubernetes' API."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connections.declare import declare
from domain.connections import Connections, KubernetesDecl, PrometheusDecl
from incidents import entity_reads, sources
from incidents.models import Entity, EntityAlias, EntityRelation, Incident, Source
from incidents.same_entity import entity_named
from ingest import inventory
from tests.fakes.server import Answer, Call, Fake, error
from tests.incidents.test_repair import place
from tests.ingest.test_field_cases import message

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
NODES = {
    "kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"},
    "items": [{
        "metadata": {"name": "worker-1", "uid": "u", "labels": {"kubernetes.io/os": "linux"}},
        "spec": {"podCIDR": "10.42.0.0/24"},
        "status": {"addresses": [
            {"type": "InternalIP", "address": "192.0.2.21"}, {"type": "Hostname", "address": "worker-1"},
            {"type": "ExternalIP", "address": "198.51.100.7"}, {"type": "InternalIP", "address": "127.0.0.1"},
        ]},
    }],
}  # fmt: skip


def vector(*series: dict[str, str]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [1796068612.1, "1"]} for labels in series]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


class Servers(Fake):
    """Prometheus' instant query and the API server's list of nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[str, Any] = {}
        self.nodes: Any = NODES

    def handle(self, call: Call) -> Answer:
        if call.path.endswith("/api/v1/nodes"):
            return Answer(200, self.nodes)
        return Answer(200, self.series.get(call.params["query"].partition("{")[0], vector()))


@pytest.fixture
def servers(db: None) -> Iterator[Servers]:
    with Servers() as fake:
        yield fake


@pytest.fixture
def source(db: None) -> Source:
    return sources.make_source("alertmanager", "prod")[0]


def clusters(servers: Servers, *names: str) -> None:
    declare(Connections(
        kubernetes=[KubernetesDecl(name=n, url=f"{servers.url}/{n}", watch=False) for n in names],
        prometheus=[PrometheusDecl(name="main", url=servers.url, clusters=list(names))],
    ))  # fmt: skip


def names() -> list[tuple[str, str, str]]:
    rows = EntityAlias.objects.order_by("alias").select_related("entity")
    return [(row.alias, row.entity.key, row.because["template"]) for row in rows]


def test_a_node_object_names_its_internal_address_and_no_loopback_or_outer_one(servers: Servers) -> None:
    clusters(servers, "prod-a")
    assert inventory.learn_names() == 1
    assert names() == [("192.0.2.21", "Host/prod-a//worker-1", "the node object of cluster {cluster} has both")]
    assert inventory.learn_names() == 0


def test_kube_node_info_names_nodes_and_addresses_within_the_cluster_of_its_label(servers: Servers) -> None:
    clusters(servers, "prod-a", "prod-b")
    servers.nodes = {"items": []}
    servers.series["kube_node_info"] = vector(
        {"node": "worker-1", "internal_ip": "192.0.2.21", "cluster": "prod-a"},
        {"node": "worker-1", "internal_ip": "192.0.2.21", "cluster": "prod-b"},
    )
    assert inventory.learn_names() == 2
    assert {key for _, key, _ in names()} == {"Host/prod-a//worker-1", "Host/prod-b//worker-1"}


def test_a_later_statement_brings_two_incidents_names_together(servers: Servers, source: Source) -> None:
    clusters(servers, "prod-a")
    exporter = message(alertname="NodeRAIDDegraded", job="node-exporter", instance="192.0.2.21:9100", cluster="prod-a")
    place(source, exporter)
    inventory.learn_names()
    assert set(Incident.objects.get().entities.values_list("key", flat=True)) == {"Host/prod-a//worker-1"}
    (merged,) = entity_reads.known(entity_named("Host/prod-a//worker-1")).merged
    assert (merged.key, merged.by) == ("Host/prod-a//192.0.2.21", "kubernetes prod-a")


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"[]", b'{"items": 3}', b'{"status":"error","error":"x"}', {"data": {"result": [{"metric": 1}]}},
     {"items": [{"metadata": {"name": 7}}]}],
)  # fmt: skip
def test_a_broken_answer_of_one_server_is_logged_and_keeps_nothing_from_the_others(
    servers: Servers, answer: Any
) -> None:
    clusters(servers, "prod-a")
    servers.series["kube_node_info"] = answer
    assert inventory.learn_names() == 1
    servers.nodes = answer
    EntityAlias.objects.all().delete()
    assert inventory.learn_names() == 0 and names() == []


def test_a_server_that_is_away_is_logged(servers: Servers) -> None:
    clusters(servers, "prod-a")
    servers.rule(error(503), times=2)
    assert inventory.learn_names() == 0


@pytest.mark.parametrize(
    ("kind", "name", "workload"),
    [
        ("ReplicaSet", "shop-server-7d9f8b6c5", "shop-server"),
        ("ReplicaSet", "by-hand", "by-hand"),
        ("StatefulSet", "db", "db"),
        ("Job", "nightly-28390001", "nightly"),
        ("Job", "once", "once"),
        ("Rollout", "pay", "pay"),
        ("Node", "master-1", None),
        ("<none>", "<none>", None),
    ],
)
def test_a_pod_whose_name_does_not_say_it_gets_its_owner(
    servers: Servers, source: Source, kind: str, name: str, workload: str | None
) -> None:
    clusters(servers, "prod-a")
    place(source, message(alertname="KubePodNotReady", pod="odd", namespace="shop", cluster="prod-a"))
    pod = {"namespace": "shop", "pod": "odd", "created_by_kind": kind, "created_by_name": name}
    servers.series["kube_pod_info"] = vector(pod, {**pod, "namespace": "pay"}, {**pod, "pod": "other"})
    assert inventory.learn_owners(NOW) == (workload is not None)
    key = f"Workload/prod-a/shop/{workload}"
    assert Entity.objects.filter(key=key, incidents__number=1, alerts__isnull=False).exists() == bool(workload)
    assert EntityRelation.objects.filter(end__key=key).exists() == bool(workload)
    assert inventory.learn_owners(NOW) == 0 or workload is None


def test_pods_whose_names_say_it_are_not_asked_about(servers: Servers, source: Source) -> None:
    clusters(servers, "prod-a")
    place(source, message(alertname="X", pod="cart-7d9f8b6c5-x2x4z", namespace="shop", cluster="prod-a"))
    assert inventory.learn_owners(NOW) == 0 and servers.calls == []


def test_a_pods_name_cannot_leave_the_query(servers: Servers, source: Source) -> None:
    clusters(servers, "prod-a")
    place(source, message(alertname="X", pod='a"} or up{b="', namespace="shop", cluster="prod-a"))
    inventory.learn_owners(NOW)
    (call,) = servers.calls
    assert re.fullmatch(r'kube_pod_info\{pod=~"(?:[^"\\]|\\.)*"\}', call.params["query"])
