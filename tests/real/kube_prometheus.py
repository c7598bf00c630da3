"""A node as kube-prometheus-stack monitors it: PrometheusRule objects, scrape jobs with its labels, node exporter."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lab.stage.node import TOKEN, Node
from lab.stage.programs import free_port

OWN = Path(__file__).parent / "rules"
# Names a folder of PrometheusRule files, e.g. the manifests of kube-prometheus; they are evaluated in place of ours.
FOLDER = "PROMETHEUS_RULES"
NOT_MOUNTED = "^/(dev|proc|sys|run/k3s/containerd/.+|var/lib/docker/.+|var/lib/kubelet/pods/.+)($|/)"
RELEASE, HASH = "kps", "6f664bc8c4-5lwq6"
TOKEN_OVER_TLS = {
    "scheme": "https", "tls_config": {"insecure_skip_verify": True}, "authorization": {"credentials": TOKEN},
}  # fmt: skip


def rule_groups(hold: str) -> list[dict[str, Any]]:
    """The groups of all PrometheusRule objects; nothing of them is changed but how long an alert is held."""
    folder = Path(os.environ.get(FOLDER) or OWN)
    objects = [one for path in sorted(folder.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    groups = [group for one in objects if one and one["kind"] == "PrometheusRule" for group in one["spec"]["groups"]]
    return [{**group, "rules": list(_shortened(group["rules"], hold))} for group in groups]


def _shortened(rules: Iterable[dict[str, Any]], hold: str) -> Iterable[dict[str, Any]]:
    for rule in rules:
        yield {**rule, "for": hold} if "for" in rule else rule


def jobs(node: Node, address: str, exporter: int) -> list[dict[str, Any]]:
    """What is scraped of the node whose address this is, with the labels that the stack's ServiceMonitors give."""
    kubelet = {"namespace": "kube-system", "service": f"{RELEASE}-kubelet", "endpoint": "https-metrics",
               "instance": f"{address}:10250", "node": node.name}  # fmt: skip
    state, node_exporter = f"{RELEASE}-kube-state-metrics", f"{RELEASE}-prometheus-node-exporter"
    return [
        *(_job("kubelet", node.kubelet_port, {**kubelet, "metrics_path": path}, metrics_path=path)
          for path in ("/metrics", "/metrics/cadvisor", "/metrics/probes")),
        _job("kube-state-metrics", node.metrics_port, _pod(state, f"{state}-{HASH}", "10.42.1.28:8080")),
        _job("node-exporter", exporter, _pod(node_exporter, f"{node_exporter}-abcde", f"{address}:9100")),
        _job("apiserver", _port(node.api), {"namespace": "default", "service": "kubernetes", "endpoint": "https",
                                            "instance": f"{address}:6443"}, **TOKEN_OVER_TLS),
        _job("kube-controller-manager", node.controllers_port,
             _static("kube-controller-manager", node, f"{address}:10257"), **TOKEN_OVER_TLS),
        _job("kube-etcd", node.store, _static("etcd", node, f"{address}:2381")),
    ]  # fmt: skip


def _job(name: str, port: int, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    """One job of one target; as in the stack, what an exporter says of others has precedence over its own labels."""
    path = str(more.get("metrics_path", "")).replace("/", "-")
    relabel = [{"target_label": "job", "replacement": name}]
    target = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
    return {"job_name": f"{name}{path}", "honor_labels": True, "static_configs": [target], "relabel_configs": relabel,
            "scrape_interval": "3s", "scrape_timeout": "2500ms", **more}  # fmt: skip


def _pod(name: str, pod: str, instance: str) -> dict[str, str]:
    container = name.removeprefix(f"{RELEASE}-").removeprefix("prometheus-")
    return {"namespace": "monitoring", "service": name, "pod": pod, "container": container, "endpoint": "http",
            "instance": instance}  # fmt: skip


def _static(component: str, node: Node, instance: str) -> dict[str, str]:
    return {"namespace": "kube-system", "service": f"{RELEASE}-{component}", "pod": f"{component}-{node.name}",
            "container": component, "endpoint": "http-metrics", "instance": instance}  # fmt: skip


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def start_node_exporter(node: Node) -> int:
    """Debian's node exporter with the stack's arguments; its port."""
    port = free_port()
    node.stage.start("node-exporter", [
        "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}",
        f"--collector.filesystem.mount-points-exclude={NOT_MOUNTED}",
    ])  # fmt: skip
    node.stage.ready("node-exporter", f"http://127.0.0.1:{port}/metrics")
    return port


def address_of(node: Node) -> str:
    """The node's internal address, as its kubelet reports it."""
    addresses = node.call("GET", f"/api/v1/nodes/{node.name}")["status"]["addresses"]
    return next(str(one["address"]) for one in addresses if one["type"] == "InternalIP")
