"""One episode's namespace on a shared node: its pods, its load, its faults, and checks that a fault shows."""

import random
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from domain.connections import BlackboxDecl, Connections, EtcdDecl, KubernetesDecl, PrometheusDecl, SourceDecl
from domain.scope import ChangeRef
from lab.episode import Setting, Truth
from lab.stage.monitoring import Monitoring
from lab.stage.node import Node
from lab.stage.programs import Stage, StageBroken, log_progress, wait_until
from lab.stage.sink import Sink
from lab.stage.watch import CLUSTER

TEAMS = ("shop", "retail", "core", "growth", "finance", "mobile", "partner", "media", "logistics", "identity")
APPS = ("cart", "checkout", "search", "catalog", "payments", "orders", "profile", "inventory", "pricing", "reviews",
        "shipping", "session", "ledger", "quotes", "invoices", "coupons", "wishlist", "returns")  # fmt: skip
USERS = 8080
ORDERS = 9103


@dataclass(frozen=True)
class Pod:
    """A pod that runs."""

    name: str
    address: str
    uid: str


def probe(path: str, period: int = 2, timeout: int = 1, failures: int = 2, **more: Any) -> dict[str, Any]:
    """A kubelet HTTP probe; `port` and `scheme` may be given."""
    target = {"path": path, "port": more.pop("port", USERS), "scheme": more.pop("scheme", "HTTP")}
    return {"httpGet": target, "periodSeconds": period, "timeoutSeconds": timeout, "failureThreshold": failures, **more}


def template(
    draw: random.Random, switches: Mapping[str, Any], probes: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A pod's template: the lab's service with these switches; by default a readiness and a liveness probe.

    `more`: cpu, memory, env, scheme and path and host of the blackbox target, strict, and `spec` for the pod.
    """
    kubelet_probes = probes if probes is not None else {
        "readinessProbe": probe("/readyz", draw.choice((2, 3))),
        "livenessProbe": probe("/livez", draw.choice((4, 5)), 1, 4),
    }  # fmt: skip
    env = {f"SW_{k.upper()}": str(v) for k, v in switches.items()} | more.get("env", {})
    cpu = more.get("cpu", f"{draw.randrange(300, 700, 50)}m")
    memory = more.get("memory", f"{draw.choice((96, 128, 192))}Mi")
    ports = [{"name": "http", "containerPort": USERS}, {"name": "metrics", "containerPort": 9102}]
    container = {
        "name": "app", "image": "docker.io/local/service:1", "imagePullPolicy": "Never", "ports": ports,
        "env": [{"name": k, "value": v} for k, v in env.items()],
        "resources": {"limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": "10m", "memory": "16Mi"}},
        **kubelet_probes, **more.get("container", {}),
    }  # fmt: skip
    notes = {"lab/path": more.get("path", "/healthz"), "lab/scheme": more.get("scheme", "http")}
    notes |= {f"lab/{k}": more[k] for k in ("host", "strict") if k in more}
    return {"spec": {"containers": [container], **more.get("spec", {})}, "annotations": notes,
            "strategy": more.get("strategy", {})}  # fmt: skip


class Pool(Protocol):
    """What a namespace needs of its node pool, which is defined in a module that imports this one."""

    stage: Stage
    sink: Sink
    node: Node
    monitoring: Monitoring
    gateway: "Pod"
    exporter: int


@dataclass
class Namespace:
    """A namespace and an app whose names are drawn from the seed."""

    pool: Pool
    draw: random.Random
    namespace: str = ""
    app: str = field(init=False)
    faults: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.namespace = self.namespace or f"{self.draw.choice(TEAMS)}-{self.draw.randint(100, 999)}"
        self.app = self.draw.choice(APPS)

    def deploy(self, made: dict[str, Any], replicas: int = 2, app: str = "", *, ready: bool = True) -> list[Pod]:
        """A Deployment; its pods as soon as they are Ready, or have an address."""
        name = app or self.app
        self.pool.node.deploy(self.namespace, name, made, replicas)

        def up() -> list[Pod]:
            pods = self.pods(name)
            good = len(pods) == replicas and all(p.address for p in pods)
            return pods if good and (not ready or all(self.is_ready(p.name) for p in pods)) else []

        return list(wait_until(up, f"{self.namespace}/{name} runs", 90, step=1))

    def pods(self, app: str = "") -> list[Pod]:
        """The pods that are not being deleted."""
        items = self.pool.node.pods(self.namespace, app or self.app)
        return [Pod(p["metadata"]["name"], p["status"].get("podIP", ""), p["metadata"]["uid"]) for p in items]

    def status(self, pod: Pod) -> dict[str, Any]:
        """The first container's status."""
        found = self.pool.node.pod(self.namespace, pod.name)["status"].get("containerStatuses") or [{}]
        return dict(found[0])

    def is_ready(self, name: str) -> bool:
        """The pod's Ready condition."""
        return self.pool.node.is_ready(self.namespace, name)

    def order(self, pod: Pod, route: str, **values: Any) -> None:
        """Send an order to the service in the pod; a trailing underscore is removed, as `for` is a keyword."""
        params = {k.rstrip("_"): str(v) for k, v in values.items()}
        httpx.get(f"http://{pod.address}:{ORDERS}/{route}", params=params, timeout=10.0).raise_for_status()

    def load(self, pod: Pod, route: str = "/work", *, rate: float, fresh: bool = False) -> None:
        """Send `rate` requests a second from another pod, until another rate is set; 0 ends it."""
        name = f"{self.namespace}/{pod.name}{route}"
        self.order(self.pool.gateway, "load", name=name, url=f"http://{pod.address}:{USERS}{route}", rate=rate,
                   fresh="1" if fresh else "")  # fmt: skip

    def calm(self, shortest_s: int = 90, longest_s: int = 106) -> None:
        """Wait without a fault, so that every series gets a usual level and no pod is newly started."""
        time.sleep(self.draw.uniform(shortest_s, longest_s))

    def make(self, fault: AbstractContextManager[None]) -> None:
        """Begin a fault that lasts until all checks have asked."""
        self.faults.enter_context(fault)
        self.pool.stage.after(self.faults.close)

    def process(self, pod: Pod) -> int:
        """The process id of the container, as the host sees it."""
        return self.pool.node.process_of(self.namespace, pod.name)

    def alerted(self, name: str, about: str = "", seconds: float = 70.0, *, anywhere: bool = False) -> None:
        """Wait until the alert is delivered: about the pod `about`, else about this namespace, or `anywhere`."""
        within = f'"namespace":"{self.namespace}"'
        if about:
            within = f'"pod":"{about}"'
        elif anywhere:
            within = ""
        wait_until(lambda: self.pool.sink.firing(name, within), f"{self.namespace}: the alert {name}", seconds)
        log_progress(f"{self.namespace}: {name} was delivered")

    def linger(self, seconds: float = 15.0) -> None:
        """Wait between the alert and the investigation."""
        time.sleep(seconds)

    def events(self) -> list[str]:
        """Reason and message of each event so far."""
        items = self.pool.node.call("GET", f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return [f"{e['reason']} {e['message']}" for e in items]

    def must_have_event(self, *parts: str) -> None:
        """Raise StageBroken unless an event of the real kubelet contains all parts, as the fault did not show then."""
        events = self.events()
        if not any(all(part in event for part in parts) for event in events):
            raise StageBroken(f"{self.namespace}: no event says {parts}; said were {sorted(set(events))[:12]}")

    def must_not_have_event(self, part: str) -> None:
        """Raise StageBroken if an event contains this already, before the fault was made."""
        if found := [event for event in self.events() if part in event]:
            raise StageBroken(f"{self.namespace}: said too early: {found[0]}")

    def must_hold(self, promql: str) -> None:
        """Raise StageBroken unless the real Prometheus finds a series; $ns stands for the namespace."""
        query = promql.replace("$ns", f'namespace="{self.namespace}"')
        if not self.pool.monitoring.query(query):
            raise StageBroken(f"{self.namespace}: nothing for {query}")

    def change(self, kind: str, title: str, app: str = "", ago_s: float = 0.0) -> ChangeRef:
        """A reported change of an app, made `ago_s` seconds ago."""
        at = datetime.fromtimestamp(time.time() - ago_s, UTC).replace(microsecond=0)
        entity = f"Workload/{CLUSTER}/{self.namespace}/{app or self.app}"
        return ChangeRef(f"{kind}-{self.draw.randint(1000, 9999)}", kind, title, at, (entity,))

    def setting(self, cause: str, pod: Pod | str, *notes: str, changes: tuple[ChangeRef, ...] = (),
                etcd: tuple[EtcdDecl, ...] = ()) -> Setting:  # fmt: skip
        """The declared connections and the truth; a string instead of a pod is an entity's key."""
        pool = self.pool
        connections = Connections(
            source=[SourceDecl(kind="alertmanager", name="prod")],
            prometheus=[PrometheusDecl(name="main", url=pool.monitoring.prometheus, clusters=[CLUSTER])],
            blackbox=[BlackboxDecl(name="probes", prometheus="main", selector={"job": "blackbox"},
                                   url=f"http://127.0.0.1:{pool.exporter}")],
            kubernetes=[KubernetesDecl(name=CLUSTER, prometheus="main", kubeconfig_file=str(pool.node.kubeconfig))],
            etcd=list(etcd),
        )  # fmt: skip
        entity = pod if isinstance(pod, str) else f"Pod/{CLUSTER}/{self.namespace}/{pod.name}"
        return Setting(connections, Truth(cause, entity), list(notes), changes, self.namespace, self.faults.close)

    @property
    def workload(self) -> str:
        """The entity key of the app."""
        return f"Workload/{CLUSTER}/{self.namespace}/{self.app}"
