"""One declaration's namespace on the field stage: its software, its faults, and checks that a fault shows."""

import random
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from msgspec import structs

from domain.connections import BlackboxDecl, Connections, EtcdDecl, KubernetesDecl, PrometheusDecl, SourceDecl
from domain.scope import ChangeRef
from lab.episode import Setting, Truth
from lab.field import members
from lab.field.certificates import Authority
from lab.field.load import Load
from lab.field.packages import POSTGRES_BIN
from lab.field.targets import Discovery, ProbeTarget
from lab.field.ware import FILES, NONE, Ware
from lab.field.watchers import BLACKBOX_JOB, CLUSTER, OTHER_CLUSTER, TEAM_JOB, TWIN, Watcher, name_of
from lab.stage.etcd import Etcd
from lab.stage.names import Names
from lab.stage.namespace import APPS, TEAMS, Pod
from lab.stage.node import Node
from lab.stage.programs import Stage, StageBroken, log_progress, wait_until
from lab.stage.sink import Sink, Taken

STAGES = ("eu", "us", "apac", "live", "beta", "blue", "green", "canary")
SCRAPES, CENTRAL_S = (15, 30, 60), 30
EVENTS, ALERTS, BOTH = "events", "alerts", "both"
WHOLE_NODE = f"Host/{CLUSTER}//"


class FieldStage(Protocol):
    """What a ground needs of its pool, which is defined in a module that imports this one."""

    stage: Stage
    sink: Sink
    node: Node
    names: Names
    discovery: Discovery
    exporter: int
    trusted: Authority
    stranger: Authority
    watched: threading.Event
    clusters: list[Etcd]
    bare: bool

    def blackbox(self, name: str, port: int) -> None:
        """Start a further blackbox exporter."""
        ...

    def watcher(self, name: str) -> Watcher:
        """The Prometheus of that name."""
        ...


@dataclass
class Ground:
    """A namespace whose names, scrape interval and reporting source are drawn from the seed."""

    pool: FieldStage
    draw: random.Random
    accept: tuple[str, ...] = NONE
    sources: tuple[str, ...] = (EVENTS, ALERTS, BOTH)
    central: bool = False
    namespace: str = ""
    app: str = ""
    every_s: int = 0
    source: str = ""
    began: float = 0.0
    faults: ExitStack = field(default_factory=ExitStack)
    probers: dict[str, int] = field(default_factory=dict)
    clusters: list[Etcd] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.namespace:
            return
        self.namespace = f"{self.draw.choice(TEAMS)}-{self.draw.choice(STAGES)}-{self.draw.randint(1000, 9999)}"
        self.app = self.draw.choice(APPS)
        self.every_s = CENTRAL_S if self.central else self.draw.choice(SCRAPES)
        self.source = self.draw.choice(self.sources)

    # What runs

    def run(self, ware: Ware, app: str = "", replicas: int = 1, *, ready: bool = True, more: Any = None) -> list[Pod]:
        """A Deployment of the ware with its ConfigMap and a headless Service; its pods, Ready unless told otherwise.

        `more` is merged into the pod's specification.
        """
        name = app or self.app
        self.configure(ware, name)
        spec = {
            "nodeName": self.pool.node.name, "automountServiceAccountToken": False, "enableServiceLinks": False,
            "dnsPolicy": "Default", "terminationGracePeriodSeconds": 5, **ware.spec(name), **(more or {}),
        }  # fmt: skip
        if spec["nodeName"] == "":
            del spec["nodeName"]
        labels = {"app": name}
        self._post("/apis/apps/v1", "deployments", {
            "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "progressDeadlineSeconds": 60,
                     "template": {"metadata": {"labels": labels, "annotations": {"checksum/config": ware.checksum}},
                                  "spec": spec}},
        })  # fmt: skip
        self._post("/api/v1", "services", {
            "metadata": {"name": name, "labels": labels},
            "spec": {"clusterIP": "None", "selector": labels, "publishNotReadyAddresses": True,
                     "ports": [{"name": "main", "port": ware.port or 80}]},
        })  # fmt: skip
        return self.wait_ready(name, replicas) if ready else self.made(name, replicas)

    def configure(self, ware: Ware, app: str = "", verb: str = "POST") -> None:
        """Write the ware's files into its ConfigMap; PUT replaces them, which a pod sees within a minute or two."""
        if not ware.files:
            return
        name = f"{app or self.app}-config"
        body = {"metadata": {"name": name}, "data": dict(ware.files)}
        path = f"/api/v1/namespaces/{self.namespace}/configmaps" + (f"/{name}" if verb == "PUT" else "")
        self.pool.node.call(verb, path, body)

    def roll_out(self, ware: Ware, app: str = "") -> None:
        """A new version of the Deployment: the ConfigMap's new text and the pod's new specification, as by Helm."""
        name = app or self.app
        self.configure(ware, name, "PUT")
        spec = ware.spec(name)
        # A probe, or its handler, that is no longer there must go.
        for container in spec["containers"]:
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                container.setdefault(probe, None)
                if container[probe]:
                    handlers = {"httpGet": None, "exec": None, "tcpSocket": None, "grpc": None}
                    container[probe] = handlers | container[probe]
        self.pool.node.patch(self.namespace, name, {"spec": {"template": {
            "metadata": {"annotations": {"checksum/config": ware.checksum}}, "spec": spec,
        }}})  # fmt: skip

    def _post(self, api: str, kind: str, body: dict[str, Any]) -> None:
        self.pool.node.call("POST", f"{api}/namespaces/{self.namespace}/{kind}", body)

    def made(self, app: str = "", replicas: int = 1) -> list[Pod]:
        """The pods as soon as they are all there."""
        return list(wait_until(lambda: p if len(p := self.pods(app)) >= replicas else [], f"{self} is made", 90, 1))

    def wait_ready(self, app: str = "", replicas: int = 1, seconds: float = 240) -> list[Pod]:
        """The pods as soon as that many are there and all Ready."""

        def up() -> list[Pod]:
            pods = self.pods(app)
            return pods if len(pods) == replicas and all(p.address and self.is_ready(p) for p in pods) else []

        return list(wait_until(up, f"{self.namespace}/{app or self.app} is ready: {self.events()[-4:]}", seconds, 2))

    def pods(self, app: str = "") -> list[Pod]:
        """The pods that are not being deleted."""
        items = self.pool.node.pods(self.namespace, app or self.app)
        return [Pod(p["metadata"]["name"], p["status"].get("podIP", ""), p["metadata"]["uid"]) for p in items]

    def newest(self, old: Iterable[Pod]) -> Pod:
        """A pod of the app that is none of the old ones, as soon as there is one."""
        known = {p.name for p in old}
        found = wait_until(lambda: [p for p in self.pods() if p.name not in known], f"{self}: a new pod", 60, 1)
        return Pod(found[0].name, found[0].address, found[0].uid)

    def raw(self, pod: Pod) -> dict[str, Any]:
        """The pod as the API server has it."""
        return self.pool.node.pod(self.namespace, pod.name)

    def is_ready(self, pod: Pod) -> bool:
        """The pod's Ready condition."""
        return self.pool.node.is_ready(self.namespace, pod.name)

    def restarts(self, pod: Pod) -> int:
        """How often any of its containers was started again."""
        return sum(s.get("restartCount", 0) for s in self.raw(pod)["status"].get("containerStatuses", []))

    # What is probed from outside

    def probe_by_blackbox(self, pod: Pod, url: str, module: str = "http_2xx", name: str = "", prober: int = 0) -> str:
        """A Probe object for a name of this namespace, which resolves to the pod; `{}` in the URL is the name.

        `prober` is the port of an exporter of its own. Returns the name.
        """
        host = name or f"{self.app}.{self.namespace}.svc.cluster.local"
        self.pool.names.known[host] = pod.address
        labels = {"__meta_prober": str(prober)} if prober else {}
        self.pool.discovery.targets.append(ProbeTarget(self.namespace, url.format(host), module, labels))
        self.probers[TEAM_JOB if prober else BLACKBOX_JOB] = prober or self.pool.exporter
        return host

    def etcd(self, **shape: Any) -> Etcd:
        """A cluster of etcd in this namespace, which the drawn Prometheus scrapes; `shape` are fields of its Shape."""
        made = members.cluster(self.pool.stage, self.namespace, self.draw.randint(20, 250), shape)
        listed = self.pool.discovery.others.setdefault(name_of(self.every_s), [])
        listed += members.targets(made, self.namespace)
        self.clusters.append(made)
        self.pool.clusters.append(made)
        return made

    def _declared_etcd(self) -> list[EtcdDecl]:
        """This namespace's cluster and up to two others whose members have the same names, in a drawn order."""
        others = [one for one in self.pool.clusters if one not in self.clusters][:2] if self.clusters else []
        found = self.draw.sample([*self.clusters, *others], len(self.clusters) + len(others))
        return [structs.replace(one.declaration(), selector={"job": "etcd", "namespace": one.shape.name})
                for one in found]  # fmt: skip

    # Faults

    def pid(self, pod: Pod, container: str = "") -> int:
        """The process id of a container of the pod as the host sees it; of its first one by default."""
        statuses = self.raw(pod)["status"]["containerStatuses"]
        wanted = container or self.raw(pod)["spec"]["containers"][0]["name"]
        found = next(s["containerID"] for s in statuses if s["name"] == wanted).removeprefix("containerd://")
        tasks = self.pool.node.containers("tasks", "ls")
        return next(int(line.split()[1]) for line in tasks.splitlines() if line.startswith(found))

    def shell(self, pod: Pod, command: str, container: str = "", seconds: float = 30) -> str:
        """Run a command by the container's own shell, in its namespaces."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid(pod, container)), "-m", "-n", "-p", "-i", "-u", "/bin/sh", "-c", command],
            capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip
        if done.returncode:
            raise StageBroken(f"{self}: {command}: {done.returncode} {done.stderr[-300:]}")
        return done.stdout

    def killed_for_memory(self, pod: Pod) -> int:
        """How many processes of the pod's running container the kernel killed at its limit, or its restarts by now."""
        try:
            groups = Path(f"/proc/{self.pid(pod)}/cgroup").read_text().splitlines()
            group = next(line.split(":", 2)[2] for line in groups if ":memory:" in line)
            words = Path(f"/sys/fs/cgroup/memory{group}/memory.oom_control").read_text().split()
        except (OSError, StopIteration):  # it is not running now
            words = ["oom_kill", "0"]
        return self.restarts(pod) + int(words[words.index("oom_kill") + 1])

    def children(self, pod: Pod, container: str = "") -> list[int]:
        """The container's process and all below it, as the host sees them."""
        found = [self.pid(pod, container)]
        for parent in found:
            tasks = Path(f"/proc/{parent}/task/{parent}/children")
            found += [int(child) for child in tasks.read_text().split()] if tasks.exists() else []
        return found

    def reload(self, pod: Pod, ware: Ware) -> None:
        """Another configuration for a running server: its ConfigMap, its way into the pod, and the server's signal."""
        self.configure(ware, verb="PUT")

        def there() -> bool:
            return all(self.shell(pod, f"cat {FILES}/{name}") == text for name, text in ware.files.items())

        wait_until(there, f"{self}: the kubelet brings the files", 180, 3)
        self.shell(pod, "kill -HUP 1")

    def in_background(self, pod: Pod, command: str, container: str = "") -> None:
        """Start a command by the container's own shell and leave it running."""
        self.pool.stage.start(f"shell-{self.namespace}", [
            "nsenter", "-t", str(self.pid(pod, container)), "-m", "-n", "-p", "-i", "-u", "/bin/sh", "-c", command,
        ])  # fmt: skip

    def load(self, pod: Pod, port: int, path: str = "/", rate: float = 1.0, clients: int = 1) -> Load:
        """Requests to the pod from the node until the stage ends or `rate` is set to 0."""
        load = Load(pod.address, port, path, rate, clients)
        self.faults.callback(load.stop)
        load.start()
        return load

    def make(self, fault: AbstractContextManager[Any]) -> Any:
        """Begin a fault that lasts until all checks have asked."""
        self.pool.stage.after(self.faults.close)
        return self.faults.enter_context(fault)

    def hold_postgres(self, pod: Pod, count: int) -> None:
        """Keep that many connections of PostgreSQL, by clients that wait in a session; refused ones try again."""
        psql = f"{POSTGRES_BIN}/psql -qAt -h {pod.address} -U postgres"
        one = f"while :; do {psql} -c 'select pg_sleep(3000)'; sleep 5; done"
        self.shell(pod, "echo host all all 0.0.0.0/0 trust >> /data/pg/pg_hba.conf; kill -HUP 1")
        self.pool.stage.start(f"clients-{self.namespace}", ["sh", "-c", " & ".join([one] * count) + " & wait"])

    def calm(self, shortest_s: int = 150, longest_s: int = 210) -> None:
        """Wait without a fault, so that every series gets a usual level and no pod is newly started."""
        self.pool.watched.wait()
        time.sleep(self.draw.uniform(shortest_s, longest_s))
        self.began = time.time()
        log_progress(f"{self}: the fault begins ({self.every_s} s, {self.source})")

    # What is seen of it

    def reported(self, *alerts: str, seconds: float = 1500) -> None:
        """Wait for what the drawn source reports after the fault began, then until somebody looks.

        `alerts` are the rules that this fault fires; without a name any alert of the namespace will do.
        """
        self.began = self.began or time.time()
        if self.source in {EVENTS, BOTH}:
            wait_until(lambda: self._delivered("kubernetes", CLUSTER), f"{self}: the watcher reports", seconds, 1)
        if self.source in {ALERTS, BOTH}:
            name = self.watcher.name
            wait_until(lambda: self._delivered("alertmanager", name, alerts), f"{self}: an alert {alerts}", seconds, 1)
        log_progress(f"{self}: reported by {self.source} after {time.time() - self.began:.0f} s")
        time.sleep(self.draw.uniform(20, 120 if self.source == EVENTS else 50))

    def _delivered(self, kind: str, name: str, alerts: tuple[str, ...] = ()) -> bool:
        bodies = [t.body.decode() for t in self.pool.sink.taken if self._mine(t) and (t.kind, t.name) == (kind, name)]
        firing = [b for b in bodies if '"state":"firing"' in b or '"status":"firing"' in b]
        return any(not alerts or any(f'"alertname":"{a}"' in body for a in alerts) for body in firing)

    def _mine(self, taken: Taken) -> bool:
        after = taken.received_at.timestamp() >= self.began - 1
        body = taken.body.decode()
        return after and f'"namespace":"{self.namespace}"' in body and OTHER_CLUSTER not in body

    def events(self) -> list[str]:
        """Reason and message of each event so far."""
        items = self.pool.node.call("GET", f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return [f"{e['reason']} {e['message']}" for e in items]

    def must_have_event(self, *parts: str) -> None:
        """Raise StageBroken unless an event of the real kubelet contains all parts, as the fault did not show then."""
        said = self.events()
        if not any(all(part in event for part in parts) for event in said):
            raise StageBroken(f"{self}: no event says {parts}; said were {sorted(set(said))[:12]}")

    def must_hold(self, promql: str) -> None:
        """Raise StageBroken unless the real Prometheus finds a series; $ns stands for the namespace."""
        query = promql.replace("$ns", f'namespace="{self.namespace}"')
        if not self.watcher.monitoring.query(query):
            raise StageBroken(f"{self}: nothing for {query}")

    def change(self, kind: str, title: str, app: str = "") -> ChangeRef:
        """A change of an app that people reported now."""
        at = datetime.fromtimestamp(time.time(), UTC).replace(microsecond=0)
        entity = f"Workload/{CLUSTER}/{self.namespace}/{app or self.app}"
        return ChangeRef(f"{kind}-{self.draw.randint(1000, 9999)}", kind, title, at, (entity,))

    def setting(self, about: Pod | str, note: str, changes: tuple[ChangeRef, ...] = ()) -> Setting:
        """The declared connections and the truth; a string instead of a pod is an entity's key."""
        watcher = self.watcher
        known = {EVENTS: {("kubernetes", CLUSTER)}, ALERTS: {("alertmanager", watcher.name)}}
        reporters = known.get(self.source) or known[EVENTS] | known[ALERTS]
        connections = Connections(
            source=[SourceDecl(kind="alertmanager", name=watcher.name)] if self.source != EVENTS else [],
            prometheus=[PrometheusDecl(name="main", url=watcher.monitoring.prometheus,
                                       clusters=[CLUSTER, OTHER_CLUSTER] if self.central else [])],
            blackbox=[
                BlackboxDecl(name=job, prometheus="main", selector={"job": job}, url=f"http://127.0.0.1:{port}")
                for job, port in self.probers.items()
            ],
            etcd=self._declared_etcd(),
            kubernetes=[] if self.pool.bare else [KubernetesDecl(
                name=CLUSTER, prometheus="main", kubeconfig_file=str(self.pool.node.kubeconfig),
            )],
        )  # fmt: skip
        entity = about if isinstance(about, str) else f"Pod/{CLUSTER}/{self.namespace}/{about.name}"
        cause = self.accept[0] if self.accept[0] != "unknown" else ""
        notes = [note, f"Scraped every {self.every_s} s; reported by {self.source}."]
        since = datetime.fromtimestamp(self.began - 1, UTC) if self.began else None
        return Setting(connections, Truth(cause, entity, accept=self.accept), notes, changes, self.namespace,
                       self.faults.close, frozenset(reporters), since,
                       f'"cluster":"{OTHER_CLUSTER}"' if self.central else "")  # fmt: skip

    @property
    def watcher(self) -> Watcher:
        """The Prometheus that this incident is seen by."""
        return self.pool.watcher(name_of(self.every_s, central=self.central))

    def twin(self) -> "Ground":
        """The namespace of the same name in the other cluster of a central Prometheus, with the same app."""
        other = replace(self, namespace=self.namespace + TWIN, faults=self.faults)
        self.pool.node.make_namespace(other.namespace)
        return other

    @property
    def workload(self) -> str:
        """The entity key of the app."""
        return f"Workload/{CLUSTER}/{self.namespace}/{self.app}"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.app}"
