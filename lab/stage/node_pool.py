"""A monitored node that several episodes share: each has its own namespace, beside healthy pods of other teams."""

import contextlib
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.recording import Answer
from lab.episode import Episode
from lab.stage import finder, monitoring, netns, watch
from lab.stage.monitoring import Monitoring
from lab.stage.names import ADDRESS, Names
from lab.stage.namespace import Namespace, Pod, template
from lab.stage.node import Node
from lab.stage.programs import Stage, StageBroken, free_port, log_progress, wait_until
from lab.stage.sink import Sink
from lab.stage.trust import Pair, pair

LISTS = (
    "/api/v1/namespaces/{}/pods", "/api/v1/namespaces/{}/events",
    "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", "/apis/apps/v1/namespaces/{}/deployments",
    "/apis/apps/v1/namespaces/{}/replicasets", "/api/v1/nodes",
)  # fmt: skip
STRANGERS = ("gateway", "frontend", "mailer", "thumbnails", "search-api", "audit", "notifier", "billing-ui")


@dataclass
class NodePool:
    """The stage of a round: one node with its monitoring, a DNS server and a blackbox exporter."""

    stage: Stage
    sink: Sink
    draw: random.Random
    node: Node = field(init=False)
    monitoring: Monitoring = field(init=False)
    names: Names = field(init=False)
    gateway: Pod = field(init=False)
    trusted: Pair = field(init=False)
    stranger: Pair = field(init=False)
    exporter: int = field(default_factory=free_port)

    def start(self, episodes: list[Episode]) -> None:
        """Start the node, set up by the `wishes` of its only episode, and the other teams' pods."""
        wishes = episodes[0].wishes if len(episodes) == 1 else {}
        self.node = Node(self.stage, name=f"node-{self.draw.randint(1, 40)}", **wishes)
        self.node.start()
        log_progress(f"{self.node.name} is ready")
        self.trusted, self.stranger = (pair(self.stage.folder / "trust", name) for name in ("ours", "other"))
        self.names = Names()
        self.stage.after(self.names.close)
        self._exporter()
        self._strangers()
        log_progress("the strangers run")

    def watch(self, seconds: float = 30.0) -> None:
        """Start the monitoring once every pod is Ready, as in a real cluster not all pods were just started."""
        with contextlib.suppress(StageBroken):
            wait_until(self._all_ready, "every pod is Ready", seconds, step=1)
        counters = netns.serve(self._places)
        self.monitoring = monitoring.start(
            self.stage, watch.jobs(self.node, finder.serve(self._pods), self.exporter, counters), watch.RULES,
            sink=self.sink.url("alertmanager", "prod"),
        )  # fmt: skip
        log_progress("watched")

    def _all_ready(self) -> bool:
        conditions = [p["status"].get("conditions", []) for p in self._pods()]
        return all(any(c["type"] == "Ready" and c["status"] == "True" for c in of_pod) for of_pod in conditions)

    def make_namespace(self, draw: random.Random) -> Namespace:
        """A namespace for one episode."""
        made = Namespace(self, draw)
        self.node.make_namespace(made.namespace)
        return made

    def lists(self, namespace: str) -> tuple[Answer, ...]:
        """The Kubernetes API's lists of a namespace, as answers to plain GETs for the declared cluster."""
        return tuple(self._listed(path.format(namespace)) for path in LISTS)

    def _listed(self, path: str) -> Answer:
        began = time.time()
        answer = self.node.get(path)
        took = int((time.time() - began) * 1000)
        return Answer(watch.CLUSTER, "GET", path, "", "", answer.status_code, answer.text, int(began * 1000), took)

    def _exporter(self) -> None:
        """Start the blackbox exporter with a resolv.conf of its own, which names the lab's DNS server."""
        config = self.stage.write("blackbox.yml", watch.modules(str(self.trusted.authority)))
        names = self.stage.write("resolv.conf", f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        self.stage.start("blackbox", [
            "unshare", "-m", "sh", "-c", f'mount --bind {names} /etc/resolv.conf && exec "$0" "$@"',
            "prometheus-blackbox-exporter", f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{self.exporter}",
        ], env={"GODEBUG": "netdns=go"})  # fmt: skip
        self.stage.ready("blackbox", f"http://127.0.0.1:{self.exporter}/-/healthy")

    def _strangers(self) -> None:
        """Start healthy pods of two other namespaces, under a little load."""
        apps = self.draw.sample(STRANGERS, 3)
        homes = [
            Namespace(self, self.draw, namespace=f"{team}-{self.draw.randint(10, 99)}") for team in ("edge", "tools")
        ]
        for home in homes:
            self.node.make_namespace(home.namespace)
        quiet = template(self.draw, {"work_latency": f"{self.draw.randint(2, 9)}ms"})
        sizes = [self.draw.randint(4, 6) for _ in apps]
        many = [homes[min(n, 1)].deploy(quiet, replicas=sizes[n], app=app) for n, app in enumerate(apps)]
        self.gateway = many[0][0]
        for pods in many[1:]:
            homes[0].load(pods[0], rate=self.draw.randint(2, 5))

    def _pods(self) -> list[dict[str, Any]]:
        return list(self.node.call("GET", "/api/v1/pods")["items"])

    def _places(self) -> list[tuple[int, dict[str, str]]]:
        """A process in each pod's network namespace, found by its control group, and one in the host's."""
        pods = {p["metadata"]["uid"]: p["metadata"] for p in self._pods()}
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            group = _group(entry) if entry.name.isdigit() else ""
            if "/pod" in group:
                found.setdefault(group.split("/pod", 1)[1][:36], int(entry.name))
        own = {"cluster": watch.CLUSTER, "node": self.node.name}
        return [(1, own), *(
            (pid, own | {"instance": pods[uid]["name"], "namespace": pods[uid]["namespace"], "pod": pods[uid]["name"]})
            for uid, pid in found.items() if uid in pods
        )]  # fmt: skip


def _group(entry: Path) -> str:
    try:
        return next((line for line in (entry / "cgroup").read_text().splitlines() if "/pod" in line), "")
    except OSError:
        return ""
