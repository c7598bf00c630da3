"""The field stage: one real node whose pods run other people's software, monitored as kube-prometheus-stack does it."""

import contextlib
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from domain.connections import KubernetesDecl
from evidence.recording import Answer
from lab.field import packages, watchers
from lab.field.certificates import Authority
from lab.field.events import Eyes
from lab.field.ground import CENTRAL_S, Ground
from lab.field.targets import Discovery
from lab.field.watchers import CLUSTER, Watcher
from lab.stage.etcd import Etcd
from lab.stage.images import program
from lab.stage.names import ADDRESS, Names
from lab.stage.node import Node
from lab.stage.node_pool import LISTS
from lab.stage.programs import Stage, StageBroken, free_port, log_progress, wait_until
from lab.stage.sink import Sink


@dataclass
class FieldPool:
    """A node, a DNS server, a blackbox exporter, one Prometheus per scrape interval, and the product's watcher."""

    stage: Stage
    sink: Sink
    draw: random.Random
    node: Node = field(init=False)
    names: Names = field(init=False)
    discovery: Discovery = field(init=False)
    trusted: Authority = field(default_factory=lambda: Authority("Shop Internal CA"))
    stranger: Authority = field(default_factory=lambda: Authority("Staging CA"))
    watched: threading.Event = field(default_factory=threading.Event)
    clusters: list[Etcd] = field(default_factory=list)
    exporter: int = field(default_factory=free_port)
    bare: bool = False
    _watchers: dict[str, Watcher] = field(default_factory=dict)

    def start(self, *, bare: bool = False) -> None:
        """Start the node with everybody's images, and what asks for names. A `bare` stage has no node."""
        self.discovery = Discovery(self._pods)
        self.discovery.start()
        self.bare = bare
        if bare:
            return
        self.node = Node(self.stage, name=f"node-{self.draw.randint(1, 40)}", most_pods=240)
        self.node.start()
        packages.imported(["ctr", "-a", str(self.stage.folder / "containerd.sock"), "-n", "k8s.io"])
        log_progress(f"{self.node.name} is ready")
        self.names = Names()
        self.stage.after(self.names.close)
        self.blackbox("blackbox", self.exporter)
        self.stage.start("scheduler", [
            str(program("kube-scheduler")), f"--kubeconfig={self.node.kubeconfig}", "--leader-elect=false",
            f"--secure-port={free_port()}",
        ])  # fmt: skip

    def blackbox(self, name: str, port: int) -> None:
        """Start a blackbox exporter with a resolv.conf of its own, which names the stage's DNS server."""
        trust = self.stage.write("authority.pem", self.trusted.pem)
        config = self.stage.write("blackbox.yml", watchers.modules(str(trust)))
        names = self.stage.write("resolv.conf", f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        self.stage.start(name, [
            "unshare", "-m", "sh", "-c", f'mount --bind {names} /etc/resolv.conf && exec "$0" "$@"',
            "prometheus-blackbox-exporter", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
        ], env={"GODEBUG": "netdns=go"})  # fmt: skip
        self.stage.ready(name, f"http://127.0.0.1:{port}/-/healthy")

    def watch(self, intervals: Iterable[int], seconds: float = 240.0) -> None:
        """Start the monitoring once every pod is Ready, as in a real cluster not all pods were just started."""
        if self.bare:
            self._watch_all(intervals, [])
            return
        with contextlib.suppress(StageBroken):
            wait_until(self._most_ready, "nearly every pod is Ready", seconds, step=2)
        eyes = Eyes(KubernetesDecl(name=CLUSTER, kubeconfig_file=str(self.node.kubeconfig)), self.sink)
        self.stage.after(eyes.stop)
        scraped = watchers.jobs(self.node, self.discovery, self.exporter)
        self._watch(watchers.name_of(CENTRAL_S, central=True), watchers.of_two_clusters(scraped))
        self._watch_all(intervals, scraped)

    def _watch_all(self, intervals: Iterable[int], scraped: list[dict[str, Any]]) -> None:
        for every_s in sorted(set(intervals)):
            self._watch(watchers.name_of(every_s), scraped)
        self.watched.set()
        log_progress(f"watched by {sorted(self._watchers)}")

    def _watch(self, name: str, scraped: list[dict[str, Any]]) -> None:
        sink = self.sink.url("alertmanager", name)
        self._watchers[name] = watchers.start(self.stage, self.discovery, scraped, name, sink)

    def watcher(self, name: str) -> Watcher:
        """The Prometheus of that name."""
        return self._watchers[name]

    def watchers(self) -> list[Watcher]:
        """All of them."""
        return list(self._watchers.values())

    def ground(
        self, draw: random.Random, accept: tuple[str, ...], sources: tuple[str, ...], *, central: bool = False
    ) -> Ground:
        """A namespace for one declaration."""
        made = Ground(self, draw, accept, sources, central)
        if not self.bare:
            self.node.make_namespace(made.namespace)
        return made

    def lists(self, namespace: str) -> tuple[Answer, ...]:
        """The Kubernetes API's lists of a namespace, as answers to plain GETs for the declared cluster."""
        return () if self.bare else tuple(self._listed(path.format(namespace)) for path in LISTS)

    def _listed(self, path: str) -> Answer:
        began = time.time()
        answer = self.node.get(path)
        took = int((time.time() - began) * 1000)
        return Answer(CLUSTER, "GET", path, "", "", answer.status_code, answer.text, int(began * 1000), took)

    def _pods(self) -> list[dict[str, Any]]:
        return list(self.node.call("GET", "/api/v1/pods")["items"])

    def _most_ready(self) -> bool:
        """Whether all pods are Ready but a few, which may never be."""
        conditions = [p["status"].get("conditions", []) for p in self._pods()]
        waiting = [c for c in conditions if not any(one["type"] == "Ready" and one["status"] == "True" for one in c)]
        return len(waiting) <= len(conditions) // 25
