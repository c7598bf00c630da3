"""A real API server with its store and role-based access, without a node: pods and events are written as a kubelet does."""

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from lab.stage import kube_api
from lab.stage.programs import Stage, free_port

ADMIN, ACCOUNT = "an-administrators-token", "the-accounts-token"
USER = "system:serviceaccount:incident-graph:incident-graph"
LISTS = {
    "Namespace": "api/v1/namespaces", "ServiceAccount": "api/v1/namespaces/{}/serviceaccounts",
    "Secret": "api/v1/namespaces/{}/secrets", "ClusterRole": "apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}  # fmt: skip


@dataclass
class ApiServer:
    """`start`, `stop` and `start` again keep port and store."""

    stage: Stage
    store: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate that it made for itself, with the authority that signed it."""
        return self.stage.folder / "certs" / "apiserver.crt"

    def start_store(self) -> None:
        kube_api.start_store(self.stage, self.store)

    def start(self) -> None:
        accounts = f'{ADMIN},admin,admin,"system:masters"\n{ACCOUNT},{USER},account\n'
        kube_api.start(self.stage, self.store, self.port, accounts, "RBAC")

    def stop(self) -> None:
        child = self.stage.process("apiserver")
        assert child is not None
        self.stage.end(child)

    def compact(self) -> None:
        """etcd goes on by some versions and forgets all but the newest one: whoever was up to date is not any more."""
        endpoint = f"--endpoints=http://127.0.0.1:{self.store}"
        env = {"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}
        for number in range(5):
            subprocess.run(["etcdctl", endpoint, "put", "x", str(number)], env=env, check=True, capture_output=True)
        output = subprocess.run(["etcdctl", endpoint, "get", "x", "-w", "fields"], env=env, check=True, text=True,
                              capture_output=True).stdout  # fmt: skip
        revision = next(line.split()[-1] for line in output.splitlines() if "Revision" in line)
        subprocess.run(["etcdctl", endpoint, "compact", revision], env=env, check=True, capture_output=True)

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind}
        answer = httpx.request(method, f"{self.url}/{path}", json=body, headers=headers, timeout=20, verify=False)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return dict(answer.json())

    def apply(self, manifest: str) -> None:
        """Makes every thing of a manifest, as `kubectl apply -f` does it the first time."""
        for document in yaml.safe_load_all(manifest):
            self.call("POST", LISTS[document["kind"]].format(document["metadata"].get("namespace", "")), document)

    def pod(self, namespace: str, name: str, *, ready: bool) -> str:
        """A pod of the Deployment that its name begins with, running for an hour; its uid."""
        workload, hashed, _ = name.rsplit("-", 2)
        owner = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": f"{workload}-{hashed}",
            "uid": "u",
            "controller": True,
        }
        about = {"name": name, "labels": {"pod-template-hash": hashed}, "ownerReferences": [owner]}
        spec = {
            "nodeName": "node-1",
            "containers": [{"name": "app", "image": "none", "env": [{"name": "K", "value": "s3cret"}]}],
        }
        made = self.call("POST", f"api/v1/namespaces/{namespace}/pods", {"metadata": about, "spec": spec})
        self.readiness(namespace, name, ready=ready)
        return str(made["metadata"]["uid"])

    def readiness(self, namespace: str, name: str, *, ready: bool) -> None:
        """The kubelet's word on it."""
        now = datetime.now(UTC)
        running = {"running": {"startedAt": _stamp(now - timedelta(hours=1))}}
        self.call("PATCH", f"api/v1/namespaces/{namespace}/pods/{name}/status", {"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": _stamp(now)}],
            "containerStatuses": [{"name": "app", "state": running, "ready": ready, "restartCount": 0,
                                   "image": "none", "imageID": ""}],
        }}, "application/merge-patch+json")  # fmt: skip

    def event(self, namespace: str, pod: str, uid: str, message: str, count: int) -> None:
        """`Unhealthy` for the first time, or counted up."""
        now, name = datetime.now(UTC), f"{pod}.{abs(hash(message)):x}"
        path = f"api/v1/namespaces/{namespace}/events"
        if count > 1:
            self.call("PATCH", f"{path}/{name}", {"count": count, "lastTimestamp": _stamp(now)},
                      "application/merge-patch+json")  # fmt: skip
            return
        about = {"kind": "Pod", "namespace": namespace, "name": pod, "uid": uid, "fieldPath": "spec.containers{app}"}
        self.call("POST", path, {
            "metadata": {"name": name}, "involvedObject": about, "reason": "Unhealthy", "message": message,
            "type": "Warning", "count": 1, "firstTimestamp": _stamp(now), "lastTimestamp": _stamp(now),
            "source": {"component": "kubelet", "host": "node-1"},
        })  # fmt: skip


def _stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
