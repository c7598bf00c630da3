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
    """One probe; times in seconds. `target` is what it asks, e.g. `http 8080/healthz`; `port` as it is written."""

    kind: str
    container: str
    target: str
    port: str
    timeout_s: int
    period_s: int
    failures: int
    delay_s: int

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
    found = []
    for container in containers:
        for kind, field in KINDS.items():
            probe: Probe | None = getattr(container, field)
            if probe:
                found.append(_spec(kind, container, probe))
    return found


def _spec(kind: str, container: Container, probe: Probe) -> ProbeSpec:
    target, port = _target(probe)
    return ProbeSpec(
        kind, container.name, target, port, probe.timeoutSeconds or 1, probe.periodSeconds or 10,
        probe.failureThreshold or 3, probe.initialDelaySeconds or 0,
    )  # fmt: skip


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
