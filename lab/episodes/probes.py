"""Readiness probes of a real kubelet that fail: a blocked handler, a full accept queue, nobody listening yet."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from domain.connections import BlackboxDecl, Connections, KubernetesDecl, PrometheusDecl, SourceDecl
from lab.episodes.episode import Episode, Setting, Truth
from lab.stage import monitoring, netns
from lab.stage.monitoring import Monitoring, rule
from lab.stage.node import Node
from lab.stage.programs import Stage, free_port, tell, wait_until
from lab.stage.sink import Sink

CLUSTER, NAMESPACE = "prod-a", "shop"
MODULES = {"modules": {
    "http_2xx": {"prober": "http", "timeout": "3s", "http": {"preferred_ip_protocol": "ip4"}},
    "tcp_connect": {"prober": "tcp", "timeout": "3s", "tcp": {"preferred_ip_protocol": "ip4"}},
}}  # fmt: skip
RULES = [
    rule("PodProbeFailing",
         'sum by (cluster, namespace, pod, probe_type) (increase(prober_probe_total{result="failed"}[20s])) > 1.2',
         "the kubelet's {{ $labels.probe_type }} probe of {{ $labels.namespace }}/{{ $labels.pod }} fails"),
    rule("ProbeDown", 'max by (cluster, namespace, pod) (probe_success{module="http_2xx"} == bool 0) > 0',
         "{{ $labels.namespace }}/{{ $labels.pod }} does not answer the blackbox probe", hold="5s"),
]  # fmt: skip


@dataclass
class Scene:
    """A pod of the lab's service under a real kubelet, watched by everything that the product may ask."""

    stage: Stage
    node: Node
    pod: str
    address: str
    monitoring: Monitoring
    sink: Sink

    def get(self, path: str, seconds: float = 60.0) -> None:
        """A request of a user; its end is of no interest."""
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://{self.address}:8080{path}", timeout=seconds)

    def alerted(self, name: str = "PodProbeFailing", seconds: float = 60.0) -> None:
        """Waits for the delivery."""
        wait_until(lambda: self.sink.firing(name), f"the alert {name}", seconds)
        tell(f"{name} was delivered")

    def setting(self, cause: str, note: str) -> Setting:
        """The declared connections and the truth."""
        prometheus = PrometheusDecl(name="main", url=self.monitoring.prometheus, clusters=[CLUSTER])
        connections = Connections(
            source=[SourceDecl(kind="alertmanager", name="prod")], prometheus=[prometheus],
            blackbox=[BlackboxDecl(name="probes", prometheus="main", selector={"job": "blackbox"})],
            kubernetes=[KubernetesDecl(name=CLUSTER, prometheus="main")],
        )  # fmt: skip
        return Setting(connections, Truth(cause, f"Pod/{CLUSTER}/{NAMESPACE}/{self.pod}"), [note])


def _spec(env: dict[str, str]) -> dict[str, Any]:
    container = {
        "name": "app", "image": "docker.io/local/service:1", "imagePullPolicy": "Never",
        "env": [{"name": k, "value": v} for k, v in env.items()], "ports": [{"containerPort": 8080}],
        "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 2, "timeoutSeconds": 1,
                           "failureThreshold": 2},
    }  # fmt: skip
    return {"containers": [container]}


def _jobs(node: Node, pods: dict[str, str], exporter: int, counters: int) -> list[dict[str, Any]]:
    cluster = {"cluster": CLUSTER}
    about = {name: {**cluster, "namespace": NAMESPACE, "pod": name} for name in pods}
    probes = [
        {"targets": [target], "labels": {**about[name], "module": module}}
        for name, address in pods.items()
        for module, target in (("http_2xx", f"http://{address}:8080/healthz"), ("tcp_connect", f"{address}:8080"))
    ]
    relabel = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["module"], "regex": "(.+)", "target_label": "__param_module"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
    ]

    def job(name: str, port: int, **more: Any) -> dict[str, Any]:
        labels = {**cluster, "instance": "node-1"}
        target = {"targets": [f"127.0.0.1:{port}"], "labels": labels}
        return {"job_name": name, "honor_labels": True, "static_configs": [target], **more}

    return [
        job("kubelet-probes", node.kubelet_port, metrics_path="/metrics/probes"),
        job("cadvisor", node.kubelet_port, metrics_path="/metrics/cadvisor", scrape_interval="2s",
            scrape_timeout="2s"),
        job("kube-state-metrics", node.metrics_port), job("netns", counters),
        {"job_name": "pods", "static_configs": [
            {"targets": [f"{address}:9102"], "labels": about[name]} for name, address in pods.items()]},
        {"job_name": "blackbox", "metrics_path": "/probe", "scrape_interval": "4s", "scrape_timeout": "3900ms",
         "static_configs": probes, "relabel_configs": relabel},
    ]  # fmt: skip


@contextlib.contextmanager
def scene(stage: Stage, sink: Sink, pod: str, env: dict[str, str], *, calm_s: float) -> Iterator[Scene]:
    """The node, the pod and a healthy neighbour, and the watch; `calm_s` after the watch began."""
    node = Node(stage)
    node.start()
    tell("the node is ready")
    neighbour = f"{pod.split('-', maxsplit=1)[0]}-6c8f9d7b5-w2k4m"
    pods = {neighbour: node.run_pod(NAMESPACE, neighbour, _spec({}), {"app": pod.split("-", maxsplit=1)[0]})}
    wait_until(lambda: node.is_ready(NAMESPACE, neighbour), "the neighbour is ready", 30)
    pods[pod] = node.run_pod(NAMESPACE, pod, _spec(env), {"app": pod.split("-", maxsplit=1)[0]})
    exporter = free_port()
    stage.start("blackbox", ["prometheus-blackbox-exporter", f"--config.file={stage.write('blackbox.yml', MODULES)}",
                             f"--web.listen-address=127.0.0.1:{exporter}"])  # fmt: skip
    stage.ready("blackbox", f"http://127.0.0.1:{exporter}/-/healthy")
    counters = netns.serve(lambda: node.process_of(NAMESPACE, pod),
                           {"namespace": NAMESPACE, "pod": pod, "cluster": CLUSTER})  # fmt: skip
    jobs = _jobs(node, pods, exporter, counters)
    watch = monitoring.start(stage, jobs, RULES, sink=sink.url("alertmanager", "prod"))
    tell(f"watched; calm for {calm_s:.0f} s")
    time.sleep(calm_s)
    yield Scene(stage, node, pod, pods[pod], watch, sink)


def handler_blocked(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """A slow dependency holds the lock that the probe's handler and the work share."""
    with scene(stage, sink, "cart-6c8f9d7b5-x7x2q", {}, calm_s=110) as on:
        threading.Thread(target=on.get, args=("/hold?for=40s",), daemon=True).start()
        time.sleep(0.3)
        for _ in range(60):
            threading.Thread(target=on.get, args=("/work",), daemon=True).start()
        on.alerted()
        on.alerted("ProbeDown")
        time.sleep(12)
        return on.setting("handler-blocked-on-dependency", "A request held the shared lock for 40 s; 60 others waited.")


def accept_queue_full(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """The process stops accepting; its queue of one fills and the kernel drops what comes."""
    with scene(stage, sink, "checkout-5d4c7f6b8-9lqzt", {"NO_ACCEPT": "120s"}, calm_s=110) as on:
        held: list[socket.socket] = []
        time.sleep(14)
        for _ in range(6):
            waiting = socket.socket()
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((on.address, 8080))
            held.append(waiting)
        on.alerted()
        on.alerted("ProbeDown")
        time.sleep(15)
        for waiting in held:
            waiting.close()
        return on.setting("accept-queue-full", "The process stopped accepting; listen queue of one, six connections.")


def refused_at_start(stage: Stage, sink: Sink, draw: random.Random) -> Setting:
    """A new pod listens 30 s after its start; until then each probe is refused."""
    with scene(stage, sink, "search-7b9c5d6f4-tq8nd", {"LISTEN_AFTER": "30s"}, calm_s=1) as on:
        on.alerted()
        wait_until(lambda: on.node.is_ready(NAMESPACE, on.pod), "the pod is ready at last", 60)
        time.sleep(15)
        return on.setting("no-listener-at-start", "The process listened 30 s after its start.")


EPISODES = (
    Episode("probe-handler-blocked", "readiness fails because the handler waits for a lock", handler_blocked,
            "handler-blocked-on-dependency", "application", on_disk=True),
    Episode("probe-accept-queue-full", "readiness fails because nobody accepts", accept_queue_full,
            "accept-queue-full", "application", on_disk=True),
    Episode("probe-refused-at-start", "readiness is refused while the pod warms up", refused_at_start,
            "no-listener-at-start", "start", on_disk=True),
)  # fmt: skip
