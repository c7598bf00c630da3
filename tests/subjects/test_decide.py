"""What alerts of rules that nobody wrote down are about."""

from urllib.parse import quote

import pytest

from domain.alerts import Family
from domain.connections import SourceDecl
from subjects.decide import subject_of
from subjects.subject import Sent, Subject


def decided(labels: dict[str, str], metric: str = "", name: str = "Custom") -> Subject:
    url = f"http://prometheus/graph?g0.expr={quote(metric + ' > 1')}" if metric else ""
    sent = Sent("alertmanager", name, name, labels, url=url)
    return subject_of(sent, SourceDecl(kind="alertmanager", name="prod"))


def key(labels: dict[str, str], metric: str = "", name: str = "Custom") -> str:
    ref = decided(labels, metric, name).ref
    return ref.key if ref else ""


MESH = {
    "namespace": "istio-system", "pod": "istio-ingressgateway-6f5d4c3b2-b2b4z",
    "destination_workload_namespace": "shop", "destination_service_namespace": "shop",
}  # fmt: skip


@pytest.mark.parametrize(
    ("label", "value", "subject"),
    [
        ("destination_workload", "cart", "Workload//shop/cart"),
        ("destination_service_name", "cart", "Service//shop/cart"),
        ("destination_service", "cart.shop.svc.cluster.local", "Service//shop/cart"),
        ("destination_service", "api.example.org", "Service//shop/api.example.org"),
    ],
)
def test_what_a_mesh_calls_has_the_namespace_of_its_own(label: str, value: str, subject: str) -> None:
    assert key({**MESH, label: value}, "istio_requests_total") == subject


def test_the_dns_name_of_a_service_is_the_service() -> None:
    assert key({"service": "cart.shop.svc", "namespace": "monitoring"}) == "Service//shop/cart"


def test_an_exporters_name_says_nothing_of_the_family_of_what_it_is_in_front_of() -> None:
    host = decided({"job": "node-exporter", "instance": "192.0.2.7:9100"})
    database = decided({"job": "mongodb-exporter", "instance": "mongo-1:27017"})
    assert (host.family, database.family) == (Family.NODE, Family.APPLICATION)
    assert decided({"job": "blackbox-exporter", "instance": "https://shop.example"}).family is Family.PROBE


def test_a_databases_own_node_is_no_host() -> None:
    labels = {"job": "elasticsearch-exporter", "instance": "search:9114", "node": "es-data-2", "host": "10.0.0.9"}
    assert key(labels) == "Service///search:9114"


def test_databases_behind_one_exporter_are_told_apart_where_their_names_were_written_over_its_address() -> None:
    scraped = {"namespace": "db", "pod": "mysqld-exporter-7d9f8b6c5-x2x4z", "container": "mysqld-exporter"}
    metric = "mysql_global_status_threads_connected"
    assert key({**scraped, "instance": "db2.example:3306"}, metric) == "Service//db/db2.example:3306"
    assert key({**scraped, "instance": "10.42.0.7:9104"}, metric) == f"Pod//db/{scraped['pod']}"


@pytest.mark.parametrize("app", ["snmp-trap-receiver", "temperature-prober", "snmp-exporter"])
def test_a_pod_that_is_called_like_an_exporter_is_named_where_nothing_else_is(app: str) -> None:
    labels = {"cluster": "eu", "namespace": "noc", "service": app, "container": app, "pod": f"{app}-7d9f8b6c5-x2x4z"}
    assert key(labels) == f"Pod/eu/noc/{app}-7d9f8b6c5-x2x4z"


def test_the_word_etcd_in_an_alerts_name_does_not_outweigh_a_label_that_names_something_else() -> None:
    cart = decided({"namespace": "shop", "deployment": "cart"}, name="CartCannotReachEtcd")
    assert (cart.ref and cart.ref.key, cart.family) == ("Workload//shop/cart", Family.WORKLOAD)
    backup = {"namespace": "kube-system", "cronjob": "etcd-backup", "job": "kube-state-metrics"}
    assert key(backup, name="etcdBackupMissing") == "Workload//kube-system/etcd-backup"
    assert key({"namespace": "infra", "statefulset": "etcd"}, name="EtcdReplicas") == "EtcdCluster///etcd"
    assert key({"node": "master-1"}, name="EtcdSlow") == "EtcdCluster///etcd"


OPERATOR = {"namespace": "operators", "job": "metrics", "pod": "operator-7d9f8b6c5-x2x4z", "instance": "10.42.0.3:80"}


@pytest.mark.parametrize(
    ("metric", "labels", "subject"),
    [
        ("rollout_info", {"exported_namespace": "shop", "name": "cart"}, "Workload//shop/cart"),
        ("longhorn_volume_actual_size_bytes", {"volume": "pvc-1", "node": "worker-3"}, "Volume///pvc-1"),
        ("longhorn_node_status", {"node": "worker-3", "condition": "ready"}, "Host///worker-3"),
        (
            "keda_scaler_errors_total", {"exported_namespace": "shop", "scaledObject": "cart"},
            "Object//shop/scaledobject/cart",
        ),
        ("k8s_node_cpu_usage", {"k8s_node_name": "worker-1"}, "Host///worker-1"),
    ],
)  # fmt: skip
def test_what_operators_export_is_about_what_they_look_after(metric: str, labels: dict[str, str], subject: str) -> None:
    assert key({**OPERATOR, **labels}, metric) == subject
