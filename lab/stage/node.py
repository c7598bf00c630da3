"""One real Kubernetes node without Docker: etcd, API server, controllers, containerd, kubelet, kube-state-metrics."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from lab.stage import kube_api
from lab.stage.images import archive, program
from lab.stage.programs import Stage, StageBroken, free_port, wait_until
from lab.stage.sweep import BRIDGE

# The last addresses stay free: nobody answers there.
RANGE = {"subnet": "10.88.77.0/24", "rangeEnd": "10.88.77.240"}
TOKEN = "lab-admin"
RESOURCES = "pods,nodes,deployments,replicasets,endpointslices,jobs"
CONTROLLERS = (
    "deployment-controller,replicaset-controller,endpointslice-controller,garbage-collector-controller,"
    "pod-garbage-collector-controller,node-lifecycle-controller,job-controller"
)
DEFAULT_SOCKET = Path("/run/containerd/containerd.sock")

CONTAINERD = """version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/local/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""


@dataclass
class Node:
    """The node and its API. Needs root, runc and the CNI plug-ins."""

    stage: Stage
    name: str = "node-1"
    grace_s: int = 40
    spare_mib: int = 0
    most_pods: int = 110
    api: str = ""
    store: int = field(default_factory=free_port)
    kubelet_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    controllers_port: int = field(default_factory=free_port)
    _client: httpx.Client = field(init=False)

    def start(self) -> None:
        """Starts everything; returns when the node is Ready."""
        self._client = httpx.Client(verify=False, timeout=20.0, headers={"Authorization": f"Bearer {TOKEN}"})
        self._containerd()
        self._api_server()
        self._controllers()
        self._kubelet()
        self._state_metrics()
        wait_until(self._ready, f"the node {self.stage.log_of('kubelet')}", 90)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = "") -> dict[str, Any]:
        """One request to the API server; raises StageBroken with its text when it refuses."""
        headers = {"Content-Type": kind} if kind else {}
        answer = self._client.request(method, f"{self.api}{path}", json=body, headers=headers)
        if answer.status_code >= 400:
            raise StageBroken(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return dict(answer.json())

    def get(self, path: str) -> httpx.Response:
        """A plain GET, whatever it answers."""
        return self._client.get(f"{self.api}{path}")

    def pod(self, namespace: str, name: str) -> dict[str, Any]:
        """The pod as the API server has it."""
        return self.call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")

    def make_namespace(self, namespace: str) -> None:
        """A new namespace."""
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})

    def deploy(self, namespace: str, name: str, template: dict[str, Any], replicas: int) -> None:
        """A Deployment whose pods run on this node, and a Service in front of them."""
        labels = {"app": name}
        spec = {"nodeName": self.name, "automountServiceAccountToken": False, "enableServiceLinks": False,
                "dnsPolicy": "Default", "terminationGracePeriodSeconds": 2, **template["spec"]}  # fmt: skip
        about = {"labels": labels, "annotations": template.get("annotations", {})}
        self.call("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", {
            "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "progressDeadlineSeconds": 60,
                     "template": {"metadata": about, "spec": spec}, "strategy": template.get("strategy", {})},
        })  # fmt: skip
        self.call("POST", f"/api/v1/namespaces/{namespace}/services", {
            "metadata": {"name": name, "labels": labels},
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        })  # fmt: skip

    def patch(self, namespace: str, name: str, change: dict[str, Any]) -> None:
        """A strategic merge into the Deployment, as `kubectl patch` does it."""
        self.call("PATCH", f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}", change,
                  "application/strategic-merge-patch+json")  # fmt: skip

    def pods(self, namespace: str, app: str = "") -> list[dict[str, Any]]:
        """The pods of an app that are not being deleted, in order of their names."""
        items = self.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        mine = [p for p in items if app in {"", p["metadata"].get("labels", {}).get("app", "")}]
        return sorted((p for p in mine if not p["metadata"].get("deletionTimestamp")),
                      key=lambda p: str(p["metadata"]["name"]))  # fmt: skip

    def is_ready(self, namespace: str, name: str) -> bool:
        """The pod's Ready condition."""
        conditions = self.pod(namespace, name)["status"].get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def process_of(self, namespace: str, name: str) -> int:
        """The process id of the pod's first container, as the host sees it."""
        wanted = self.pod(namespace, name)["status"]["containerStatuses"][0]["containerID"].removeprefix(
            "containerd://"
        )
        tasks = self._ctr("tasks", "ls")
        return next(int(line.split()[1]) for line in tasks.splitlines() if line.startswith(wanted))

    def containers(self, *args: str) -> str:
        """What containerd's own client answers."""
        return self._ctr(*args)

    def _ready(self) -> bool:
        try:
            nodes = self.call("GET", "/api/v1/nodes")["items"]
        except (StageBroken, httpx.HTTPError):
            return False
        return any(c["type"] == "Ready" and c["status"] == "True" for n in nodes for c in n["status"]["conditions"])

    def _ctr(self, *args: str) -> str:
        done = subprocess.run(["ctr", "-a", str(self.stage.folder / "containerd.sock"), "-n", "k8s.io", *args],
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise StageBroken(f"ctr {' '.join(args)}: {done.stderr}")
        return done.stdout

    def _containerd(self) -> None:
        folder = self.stage.folder
        ipam = {"type": "host-local", "dataDir": str(folder / "addresses"), "ranges": [[RANGE]]}
        bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": False, "ipam": ipam}
        self.stage.write("cni/10-lab.conflist", {
            "cniVersion": "0.4.0", "name": "lab", "plugins": [bridge]})  # fmt: skip
        config = self.stage.write("containerd.toml", CONTAINERD.format(folder=folder))
        self.stage.after(_remove_bridge)
        self.stage.start("containerd", ["containerd", "-c", str(config)])
        wait_until(lambda: (folder / "containerd.sock").exists() and self._answers(), "containerd", 30)
        for name, source in (("pause", "lab-pause"), ("service", "lab-service")):
            self._ctr("images", "import", str(archive(name, program(source), folder / f"{name}.tar")))
        if not DEFAULT_SOCKET.exists():  # cAdvisor looks only there
            DEFAULT_SOCKET.parent.mkdir(parents=True, exist_ok=True)
            DEFAULT_SOCKET.unlink(missing_ok=True)
            DEFAULT_SOCKET.symlink_to(folder / "containerd.sock")
            self.stage.after(lambda: DEFAULT_SOCKET.unlink(missing_ok=True))

    def _answers(self) -> bool:
        try:
            self._ctr("version")
        except StageBroken:
            return False
        return True

    def _api_server(self) -> None:
        port = free_port()
        kube_api.start_store(self.stage, self.store)
        kube_api.start(self.stage, self.store, port, f'{TOKEN},admin,admin,"system:masters"\n', "AlwaysAllow")
        self.api = f"https://127.0.0.1:{port}"

    def _controllers(self) -> None:
        self.stage.start("controllers", [
            str(program("kube-controller-manager")), f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
            f"--controllers={CONTROLLERS}", f"--secure-port={self.controllers_port}",
            "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
            f"--node-monitor-grace-period={self.grace_s}s",
            f"--service-account-private-key-file={self.stage.folder / 'service-accounts.key'}",
        ])  # fmt: skip

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of the administrator, written once: kube-state-metrics starts again when its file changes."""
        if (written := self.stage.folder / "kubeconfig").exists():
            return written
        cluster = {"server": self.api, "certificate-authority": str(self.stage.folder / "certs" / "apiserver.crt")}
        return self.stage.write("kubeconfig", {
            "apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": cluster}], "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}]})  # fmt: skip

    def _kubelet(self) -> None:
        folder = self.stage.folder
        config = self.stage.write("kubelet.json", {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": "127.0.0.1",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"}, "cgroupDriver": "cgroupfs", "cgroupsPerQOS": True,
            "enforceNodeAllocatable": [], "failSwapOn": False, "port": free_port(), "readOnlyPort": self.kubelet_port,
            "healthzPort": free_port(), "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
            "evictionHard": {"memory.available": "1Mi"}, "nodeStatusUpdateFrequency": "5s",
            "podLogsDir": str(folder / "pod-logs"), "serializeImagePulls": False,
            "maxPods": self.most_pods, **self._pressure(),
        })  # fmt: skip
        self.stage.start("kubelet", [
            str(program("kubelet")), f"--kubeconfig={self.kubeconfig}", f"--config={config}",
            f"--root-dir={folder / 'kubelet'}", f"--hostname-override={self.name}",
            f"--cert-dir={folder / 'kubelet-certs'}",
        ])  # fmt: skip

    def _pressure(self) -> dict[str, Any]:
        """Settings by which the node reports memory pressure once `spare_mib` more is used, without evicting a pod."""
        if not self.spare_mib:
            return {}
        lines = Path("/proc/meminfo").read_text().splitlines()
        free_kib = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
        limit = {"memory.available": f"{free_kib // 1024 - self.spare_mib}Mi"}
        return {"evictionSoft": limit, "evictionSoftGracePeriod": {"memory.available": "30m"},
                "evictionPressureTransitionPeriod": "5s"}  # fmt: skip

    def _state_metrics(self) -> None:
        self.stage.start("kube-state-metrics", [
            str(program("kube-state-metrics")), f"--kubeconfig={self.kubeconfig}", "--host=127.0.0.1",
            f"--port={self.metrics_port}", "--telemetry-host=127.0.0.1", f"--telemetry-port={free_port()}",
            f"--resources={RESOURCES}",
        ])  # fmt: skip


def _remove_bridge() -> None:
    subprocess.run(["ip", "link", "del", BRIDGE], check=False, capture_output=True)


def can_run() -> str:
    """Empty when a node can run here, otherwise what is missing."""
    if os.geteuid() != 0:
        return "a node needs root"
    missing = [p for p in ("containerd", "runc", "ctr", "go", "ip", "openssl") if shutil.which(p) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""
