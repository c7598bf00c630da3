"""A pod's probes as they are declared, with the defaults that the API server fills in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lightkube.models.core_v1 import Container, ContainerStatus, Pod, Probe

from domain.scope import Scope
from evidence.pods import is_ours

KINDS = {"Startup": "startupProbe", "Readiness": "readinessProbe", "Liveness": "livenessProbe"}


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One probe; times in seconds. `target` is what it asks, e.g. `http 8080/healthz`; `port` as it is written.

    It stays on its node when it asks the loopback address, or a pod that has its node's network: the kernel delivers
    what is for an address of its own without any network.
    """

    kind: str
    container: str
    target: str
    port: str
    timeout_s: int
    period_s: int
    failures: int
    delay_s: int
    stays_on_node: bool = False

    @property
    def budget_s(self) -> int:
        """How long it may fail from the container's start on before it acts."""
        return self.delay_s + self.failures * self.period_s

    @property
    def path(self) -> str:
        """The path of an http probe, else empty."""
        _, slash, rest = re.split(r"\s", self.target)[-1].partition("/")
        return slash + rest


def ours(pods: Sequence[Pod], scope: Scope) -> list[Pod]:
    """The incident's pods, in order of their names."""
    return sorted((p for p in pods if is_ours(scope, name_of(p))), key=name_of)


def name_of(pod: Pod) -> str:
    """Its name, empty if it has none."""
    return (pod.metadata.name or "") if pod.metadata else ""


def probes_of(pod: Pod) -> list[ProbeSpec]:
    """Every probe of every container."""
    containers = pod.spec.containers if pod.spec else []
    host_network = bool(pod.spec and pod.spec.hostNetwork)
    found = []
    for container in containers:
        for kind, field in KINDS.items():
            probe: Probe | None = getattr(container, field)
            if probe:
                found.append(_spec(kind, container, probe, host_network))
    return found


def _spec(kind: str, container: Container, probe: Probe, host_network: bool) -> ProbeSpec:
    target, port = _target(probe)
    return ProbeSpec(
        kind, container.name, target, port, probe.timeoutSeconds or 1, probe.periodSeconds or 10,
        probe.failureThreshold or 3, probe.initialDelaySeconds or 0, _stays_on_node(probe, host_network),
    )  # fmt: skip


def _stays_on_node(probe: Probe, host_network: bool) -> bool:
    """Whether it asks over the network, and none is crossed. The kubelet asks the pod's address without a host."""
    asked = probe.httpGet or probe.tcpSocket
    host = (asked.host or "") if asked else ""
    if host:
        return host in {"localhost", "::1", "[::1]"} or host.startswith("127.")
    return host_network and bool(asked or probe.grpc)


def _target(probe: Probe) -> tuple[str, str]:
    if probe.httpGet:
        http = probe.httpGet
        return f"{(http.scheme or 'HTTP').lower()} {http.port}{http.path or '/'}", str(http.port)
    if probe.tcpSocket:
        return f"tcp {probe.tcpSocket.port}", str(probe.tcpSocket.port)
    if probe.grpc:
        return f"grpc {probe.grpc.port} {probe.grpc.service or ''}".strip(), ""
    return "exec", ""


def statuses(pod: Pod) -> list[ContainerStatus]:
    """The statuses of its containers."""
    return list(pod.status.containerStatuses or []) if pod.status else []


def ready_since(pod: Pod) -> datetime | None:
    """When its Ready condition last became true; None if it is not."""
    conditions = (pod.status.conditions or []) if pod.status else []
    return next((c.lastTransitionTime for c in conditions if c.type == "Ready" and c.status == "True"), None)
