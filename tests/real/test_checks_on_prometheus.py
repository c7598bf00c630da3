"""The checks' own queries on a real Prometheus, over series that a real one could have scraped."""

import math
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.connections import Connections, PrometheusDecl
from domain.findings import Finding
from evidence.collect import collect
from evidence.recording import LiveTransports
from lab.stage.monitoring import reopen
from lab.stage.programs import Stage
from tests.evidence.scene import NOON, POD, World, after, at, rising, scope

pytestmark = pytest.mark.real

STEP_S = 15
OLD = "cart-57d9bbbbbb-zzzzz"


def world() -> World:
    """A rollout whose new pod falls on a node under pressure; an old pod, another workload and another zone stay well."""
    made = World()
    pods = {POD: "cart-6c8f9d7b5", OLD: "cart-57d9bbbbbb", "search-0": "search"}
    for pod, owner in pods.items():
        labels = {"pod": pod, "node": "node-1", "host_ip": "10.0.0.5", "created_by_kind": "ReplicaSet"}
        made.add("kube_pod_info", 1.0, **labels, created_by_name=owner)
        ready = after(-60, 0.0, 1.0) if pod == POD else 1.0
        made.add("kube_pod_status_ready", ready, pod=pod, condition="true")
    for number in "12":
        made.add(
            "kube_pod_info", 1.0, namespace="pay", pod=f"pay-{number}", node="node-2", created_by_kind="StatefulSet"
        )
        node = {"pod": "", "namespace": "", "node": f"node-{number}"}
        made.add("kube_node_labels", 1.0, **node, label_topology_kubernetes_io_zone=f"zone-{number}")
    made.add("kube_replicaset_created", at(-90), replicaset="cart-6c8f9d7b5", pod="")
    made.add("kube_replicaset_created", at(-90_000), replicaset="cart-57d9bbbbbb", pod="")
    made.add("kube_deployment_status_replicas_available", 1.0, deployment="cart", pod="")
    made.add(
        "kube_deployment_status_condition", 0.0, deployment="cart", condition="Progressing", status="false", pod=""
    )
    node = {"pod": "", "namespace": "", "node": "node-1"}
    made.add("kube_node_status_condition", 1.0, **node, condition="Ready", status="true")
    made.add("kube_node_status_condition", after(-90, 1.0), **node, condition="MemoryPressure", status="true")
    made.add("kube_node_spec_unschedulable", 0.0, **node)
    made.add("node_time_seconds", lambda t: at(t) + 3, pod="", namespace="", instance="10.0.0.5:9100")
    return _service(_api(made))


def _api(made: World) -> World:
    bare = {"pod": "", "namespace": ""}
    for limit, per_s in (("0.1", 5.0), ("1", 6.0), ("4", 10.0), ("+Inf", 10.0)):
        made.add("apiserver_request_duration_seconds_bucket", rising(per_s), **bare, le=limit, verb="GET")
        made.add("etcd_request_duration_seconds_bucket", rising(10 if limit != "0.1" else 9.95), **bare, le=limit)
    made.add("apiserver_request_total", rising(9), **bare, code="200")
    return made.add("apiserver_request_total", rising(1), **bare, code="500")


def _service(made: World) -> World:
    made.add("up", 1.0, job="pods").add("kube_pod_container_status_ready", 1.0)
    made.add("http_request_duration_seconds_count", rising(2), route="/healthz")
    made.add("http_request_duration_seconds_sum", rising(4), route="/healthz")
    made.add("go_sync_mutex_wait_total_seconds_total", rising(30))
    made.add("go_sql_in_use_connections", 5.0, db_name="db").add("go_sql_max_open_connections", 5.0, db_name="db")
    made.add("go_sql_wait_duration_seconds_total", rising(8), db_name="db")
    return made.add("http_client_requests_total", rising(3), dependency="db", code="503")


def openmetrics(made: World) -> str:
    """The same as a text that promtool makes blocks of, family by family."""
    lines = []
    for labels, values in sorted(made.series, key=lambda s: (s[0]["__name__"], sorted(s[0].items()))):
        text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
        for i in range(math.ceil(2100 / STEP_S) + 1):
            value = values(-1800 + i * STEP_S)
            if value is not None:
                lines.append(f"{labels['__name__']}{{{text}}} {value!r} {at(-1800 + i * STEP_S):.0f}")
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Finding]]:
    with Stage() as stage:
        text = stage.folder / "series.txt"
        text.write_text(openmetrics(world()))
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, stage.folder / "tsdb"],
            check=True, capture_output=True,
        )  # fmt: skip
        url = reopen(stage)
        about = replace(scope(), connections=Connections(prometheus=[PrometheusDecl(name="main", url=url)]))
        yield {f.measure: f for f in collect(about, LiveTransports(about.connections)).findings}


def test_a_real_server_takes_every_query(found: dict[str, Finding]) -> None:
    refused = [f.query for f in found.values() if "refused the query" in str(f.why_unknown)]
    assert len(found) > 100 and not refused


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("peers-same-workload-fail", False), ("peers-same-node-fail", None), ("node-not-ready", False),
        ("peers-other-zones-fail", False), ("peers-keep-to-zone", None),
        ("node-pressure", True), ("planned-work", False), ("rollout-stuck", False), ("change-guilty", True),
        ("endpoints-none-ready", False), ("apiserver-slow", True), ("apiserver-errors", True),
        ("apiserver-etcd-slow", False), ("clock-differs", True), ("probe-route-slow", False), ("pool-exhausted", True),
        ("go-mutex-wait-high", True), ("dependency-failing", True), ("pod-waiting", False), ("conntrack-near-limit", None),
    ],
)  # fmt: skip
def test_a_measure_comes_out_of_its_real_query(found: dict[str, Finding], measure: str, expected: bool | None) -> None:
    assert found[measure].seen is expected, (found[measure].sentence, found[measure].query)


def test_a_measured_difference_of_clocks_is_the_nodes(found: dict[str, Finding]) -> None:
    finding = found["clock-differs"]
    assert finding.value is not None and abs(finding.value - 3.0) < 0.1 and finding.subject == "10.0.0.5:9100"
    assert any(item.name == "scrape interval of pods" and abs((item.value or 0) - STEP_S) < 1 for item in finding.items)
    assert (finding.to or NOON) >= NOON
