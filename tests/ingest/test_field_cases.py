"""Reduced inputs from the field through the real doors: what each is about, and which incidents it makes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from connections.declare import declare
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, KubernetesDecl, SourceDecl
from incidents import deliveries, sources
from incidents.models import Alert, Delivery, Entity, EntityAlias, EntityRelation, Incident
from ingest import parse

CASES = Path(__file__).parent.parent / "payloads" / "cases"
TOKEN = "a-token-of-the-tests"
MEMBER = EtcdMemberDecl(
    name="etcd1", endpoint="https://10.1.0.11:2379", instance="10.1.0.11:2379", host=["master-5", "db-1"]
)
ETCD = Connections(etcd=[EtcdDecl(name="etcd-prod", cluster="prod-a", selector={"job": "etcd"}, member=[MEMBER])])
ONE_CLUSTER = Connections(kubernetes=[KubernetesDecl(name="prod-a")])


@pytest.fixture(autouse=True)
def doors(db: None) -> Iterator[None]:
    cache.clear()
    for kind in ("alertmanager", "zabbix", "kubernetes"):
        sources.make_source(kind, "prod", TOKEN)
    yield
    cache.clear()


def case(name: str) -> dict[str, Any]:
    (path,) = CASES.glob(f"{name}-*.json")
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def send(kind: str, *bodies: object) -> None:
    for body in bodies:
        answer = Client().post(
            f"/ingest/{kind}/prod", json.dumps(body).encode(), content_type="application/json",
            headers={"Authorization": f"Bearer {TOKEN}"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.content
        for waiting in deliveries.waiting_deliveries():
            parse.ingest(waiting)
    assert set(Delivery.objects.values_list("state", flat=True)) <= {"done", "parked"}


def subjects() -> list[tuple[str, str]]:
    """Subject and family of every alert, in order of arrival."""
    rows = Alert.objects.order_by("pk").select_related("subject")
    return [(row.subject.key if row.subject else "", row.family) for row in rows]


def message(**labels: str) -> dict[str, Any]:
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-11-30T19:44:30Z"}
    return {"version": "4", "groupKey": "{}", "status": "firing", "alerts": [alert]}


def test_two_workloads_that_kube_state_metrics_reports_are_two_incidents_about_them() -> None:
    send("alertmanager", case("01")["body"])
    assert subjects() == [("Workload//shop/cart", "workload"), ("Workload//shop/mailer", "workload")]
    assert Incident.objects.count() == 2
    assert set(Entity.objects.values_list("key", flat=True)) == {"Workload//shop/cart", "Workload//shop/mailer"}
    assert not EntityRelation.objects.exists()


def test_two_nodes_stay_two_hosts_also_for_later_alerts() -> None:
    send("alertmanager", case("02")["body"], message(alertname="KubeNodeReadinessFlapping", node="worker-2"))
    assert subjects() == [("Host///worker-1", "node"), ("Host///worker-2", "node"), ("Host///worker-2", "node")]
    assert Incident.objects.count() == 2 and not EntityAlias.objects.exists()


def test_a_node_exporter_speaks_of_the_hosts_that_it_runs_on() -> None:
    send("alertmanager", case("04")["body"])
    assert subjects() == [("Host///192.0.2.33", "node"), ("Host///192.0.2.31", "node")]
    assert Incident.objects.count() == 2 and set(Entity.objects.values_list("kind", flat=True)) == {"Host"}


def test_alerts_of_the_only_declared_etcd_are_one_outage_without_a_cluster_label() -> None:
    declare(ETCD)
    send("alertmanager", *case("06")["deliveries"])
    assert {family for _, family in subjects()} == {"etcd"}
    assert [key for key, _ in subjects()] == ["EtcdMember/prod-a//etcd1", *["EtcdCluster/prod-a//etcd-prod"] * 3]
    assert Incident.objects.count() == 1


def test_two_events_of_one_host_in_zabbix_that_are_about_etcd_are_one_member() -> None:
    first, second = case("13")["bodies"]
    send("zabbix", first, second | {"event_id": "2"})
    assert subjects() == [("EtcdMember///etcd-9", "etcd")] * 2
    assert Incident.objects.count() == 1


def test_a_degraded_cluster_operator_of_etcd_is_about_etcd() -> None:
    send("alertmanager", case("16")["body"])
    assert subjects() == [("EtcdCluster///etcd", "etcd")]
    assert not Entity.objects.filter(name__contains="operator").exists()


def test_a_port_name_makes_no_host() -> None:
    send("alertmanager", case("18")["body"])
    assert subjects() == [("Pod/gke-1/shop/cart-7d9f8b6c5-gmp01", "pod")]
    assert not Entity.objects.filter(kind="Host").exists()
    assert Entity.objects.filter(key="Workload/gke-1/shop/cart").exists()


def test_broken_tags_cost_only_the_tags() -> None:
    bodies = case("25")["bodies"]
    send("zabbix", *(body | {"event_id": str(n)} for n, body in enumerate(bodies, 1)))
    assert subjects() == [("Host///web-77", "node"), ("", ""), ("Host///web-78", "node")]
    assert Incident.objects.count() == 3


def test_a_second_alertmanager_joins_the_incident_of_the_first() -> None:
    sources.make_source("alertmanager", "other", TOKEN)
    body = case("26")["body"]
    send("alertmanager", body)
    Client().post(
        "/ingest/alertmanager/other", json.dumps(body).encode(), content_type="application/json",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )  # fmt: skip
    for waiting in deliveries.waiting_deliveries():
        parse.ingest(waiting)
    assert {key for key, _ in subjects()} == {"Pod//kube-system/metrics-server-786d997795-sk6z2"}
    assert Alert.objects.count() == 2 and Incident.objects.count() == 1


def test_a_watchers_message_and_an_alert_without_cluster_label_meet_in_the_only_declared_cluster() -> None:
    declare(ONE_CLUSTER)
    pod = case("27")["first"]["pod"]["name"]
    send("kubernetes", {
        "version": 1, "state": "firing", "cluster": "prod-a", "namespace": "tls",
        "workload": {"kind": "Deployment", "name": "tls5"}, "reason": "Unhealthy", "probe": "Readiness",
        "first": "2026-11-30T19:43:00Z", "last": "2026-11-30T19:44:00Z", "count": 6,
        "pods": [{"name": pod, "node": "worker-1"}], "messages": ["Readiness probe failed: EOF"],
    })  # fmt: skip
    send("alertmanager", case("27")["then"])
    assert subjects()[1] == (f"Pod/prod-a/tls/{pod}", "pod")
    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({"alertname": "InsufficientMembers", "severity": "error"}, {"description": "Etcd cluster should have more"}),
        ({"alertname": "HighNumberOfFailedGrpcRequests", "grpc_service": "etcdserverpb.KV"}, {}),
    ],
)
def test_old_names_of_etcds_rules_are_known_by_their_texts_and_services(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    sent = message(**labels)
    sent["alerts"][0]["annotations"] = annotations
    send("alertmanager", case("29")["body"], sent)
    assert [family for _, family in subjects()] == ["etcd", "etcd"]
    assert {key for key, _ in subjects()} == {"EtcdCluster///etcd"}


def test_an_etcd_under_another_job_is_not_the_declared_one() -> None:
    declare(ETCD)
    send("alertmanager", message(alertname="etcdInsufficientMembers", job="patroni-etcd"))
    assert subjects() == [("EtcdCluster/prod-a//patroni-etcd", "etcd")]


def test_the_cluster_has_the_label_that_the_source_declares_and_constant_labels_fill_what_is_missing() -> None:
    declare(Connections(source=[
        SourceDecl(kind="alertmanager", name="prod", cluster_label=["region"], labels={"region": "eu", "team": "shop"})
    ]))  # fmt: skip
    send("alertmanager", message(alertname="X", pod="db-0", namespace="shop", cluster="ignored"),
         message(alertname="X", pod="db-1", namespace="shop", region="us"))  # fmt: skip
    assert [key for key, _ in subjects()] == ["Pod/eu/shop/db-0", "Pod/us/shop/db-1"]


@pytest.mark.parametrize("label", ["cluster_name", "k8s_cluster", "cluster_id", "k8s.cluster.name"])
def test_the_usual_other_names_of_the_cluster_label_are_known(label: str) -> None:
    send("alertmanager", message(**{"alertname": "X", "pod": "db-0", "namespace": "shop", label: "prod-b"}))
    assert subjects() == [("Pod/prod-b/shop/db-0", "pod")]


def test_the_next_generation_of_a_pod_has_the_workload_in_common_with_the_last() -> None:
    pods = ("cart-7d9f8b6c5-x2x4z", "cart-5f6d7c8b9-zz9x2")
    send("alertmanager", *(message(alertname="KubePodCrashLooping", pod=pod, namespace="shop") for pod in pods))
    shared = Entity.objects.get(key="Workload//shop/cart")
    assert shared.alerts.count() == 2 and Incident.objects.count() == 1


def test_zabbixs_one_poller_of_a_whole_cluster_is_no_subject() -> None:
    body = case("13")["bodies"][0] | {
        "event_name": "Pod is crash looping", "trigger_name": "Pod is crash looping", "host_host": "k8s-poller",
        "host_name": "k8s-poller", "host_ip": "10.9.9.1", "item_key": "kube.pod.containers.restarts[shop/cart]",
    }  # fmt: skip
    for number, (tag, value) in enumerate([("pod", "cart-7d9f8b6c5-x2x4z"), ("deployment", "mail"), ("node", "w-1")]):
        tags = [{"tag": "namespace", "value": "shop"}, {"tag": tag, "value": value}]
        send("zabbix", body | {"event_id": str(number + 10), "event_tags": tags})
    assert [key for key, _ in subjects()] == ["Pod//shop/cart-7d9f8b6c5-x2x4z", "Workload//shop/mail", "Host///w-1"]
    assert not Entity.objects.filter(name__contains="poller").exists()
    assert Incident.objects.count() == 3


def test_an_api_servers_slow_requests_to_etcd_make_up_no_member() -> None:
    url = "http://p/graph?g0.expr=histogram_quantile%280.99%2C+etcd_request_duration_seconds_bucket%29+%3E+1"
    sent = message(alertname="EtcdRequestsSlow", job="apiserver", instance="192.0.2.11:6443")
    sent["alerts"][0]["generatorURL"] = url
    send("alertmanager", sent)
    assert subjects() == [("Workload//kube-system/kube-apiserver", "apiserver")]
    assert not Entity.objects.filter(kind__startswith="Etcd").exists()
