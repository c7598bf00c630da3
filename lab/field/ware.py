"""Software in a pod: an image, ordinary configuration files, probes, and containers beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.field.packages import Image

NONE: tuple[str, ...] = ("unknown",)
FILES = "/etc/conf"
Probe = dict[str, Any]


def http(path: str, port: int, period: int = 10, timeout: int = 1, failures: int = 3, **more: Any) -> Probe:
    """A kubelet HTTP probe; `scheme` may be given."""
    target = {"path": path, "port": port} | ({"scheme": more.pop("scheme")} if "scheme" in more else {})
    return {"httpGet": target, "periodSeconds": period, "timeoutSeconds": timeout, "failureThreshold": failures, **more}


def command(*argv: str, period: int = 10, timeout: int = 1, failures: int = 3, **more: Any) -> Probe:
    """A kubelet exec probe."""
    return {"exec": {"command": list(argv)}, "periodSeconds": period, "timeoutSeconds": timeout,
            "failureThreshold": failures, **more}  # fmt: skip


def tcp(port: int, period: int = 10, timeout: int = 1, failures: int = 3, **more: Any) -> Probe:
    """A kubelet TCP probe."""
    return {"tcpSocket": {"port": port}, "periodSeconds": period, "timeoutSeconds": timeout,
            "failureThreshold": failures, **more}  # fmt: skip


def grpc(port: int, period: int = 10, timeout: int = 1, failures: int = 3) -> Probe:
    """A kubelet gRPC probe."""
    return {"grpc": {"port": port, "service": ""}, "periodSeconds": period, "timeoutSeconds": timeout,
            "failureThreshold": failures}  # fmt: skip


@dataclass(frozen=True)
class Ware:
    """One container's software. `files` are mounted at /etc/conf, `beside` are other containers, `init` run before."""

    image: Image
    argv: tuple[str, ...]
    name: str
    port: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    readiness: Probe | None = None
    liveness: Probe | None = None
    startup: Probe | None = None
    cpu: str = "500m"
    asks_cpu: str = "5m"
    memory: str = "256Mi"
    beside: tuple[dict[str, Any], ...] = ()
    init: tuple[dict[str, Any], ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    mounts: tuple[dict[str, Any], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    user: int = 0

    @property
    def checksum(self) -> str:
        """Changes with the files and the specification, as charts write it into an annotation."""
        return hashlib.sha256(json.dumps([dict(self.files), self.spec("x")], sort_keys=True).encode()).hexdigest()[:16]

    def but(self, **changes: Any) -> "Ware":
        """The same with other values; `files` are merged."""
        if "files" in changes:
            changes["files"] = {**self.files, **changes["files"]}
        return replace(self, **changes)

    def spec(self, app: str) -> dict[str, Any]:
        """The pod's specification."""
        volumes = [*self.volumes]
        mounts = [*self.mounts]
        if self.files:
            volumes.append({"name": "config", "configMap": {"name": f"{app}-config"}})
            mounts.append({"name": "config", "mountPath": FILES})
        found: dict[str, Any] = {"containers": [self._container(mounts), *self.beside]}
        if self.init:
            found["initContainers"] = list(self.init)
        if volumes:
            found["volumes"] = volumes
        return found

    def _container(self, mounts: list[dict[str, Any]]) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "readinessProbe": self.readiness, "livenessProbe": self.liveness, "startupProbe": self.startup,
        }  # fmt: skip
        more = dict(self.more)
        env = [*more.pop("env", []), *({"name": k, "value": v} for k, v in self.env.items())]
        return container(
            self.name, self.image, self.argv, self.port, env, cpu=self.cpu, memory=self.memory, mounts=mounts,
            user=self.user, asks_cpu=self.asks_cpu, **{k: v for k, v in fields.items() if v}, **more,
        )  # fmt: skip


def container(
    name: str, image: Image, argv: tuple[str, ...], port: int = 0, env: Mapping[str, str] | list[Any] | None = None,
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """One container's specification; `metrics` names its port so that a ServiceMonitor finds it.

    `more`: cpu and memory limits, asks_cpu, mounts, user, metrics, and fields of the specification as they are.
    """
    limits = {"cpu": more.pop("cpu", "100m"), "memory": more.pop("memory", "64Mi")}
    asks = {"cpu": more.pop("asks_cpu", "5m"), "memory": "8Mi"}
    mounts, user, metrics = more.pop("mounts", None), more.pop("user", 0), more.pop("metrics", False)
    found: dict[str, Any] = {
        "name": name, "image": image.name, "imagePullPolicy": "IfNotPresent", "command": list(argv),
        "resources": {"limits": limits, "requests": asks}, **more,
    }  # fmt: skip
    if port:
        found["ports"] = [{"name": "metrics" if metrics else "main", "containerPort": port}]
    if env:
        found["env"] = env if isinstance(env, list) else [{"name": k, "value": v} for k, v in env.items()]
    if mounts:
        found["volumeMounts"] = mounts
    if user:
        found["securityContext"] = {"runAsUser": user, "runAsGroup": user}
    return found
