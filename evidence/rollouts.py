"""What a rollout made and changed, as the pods of the cluster's API show it: no posted change is needed for that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lightkube.models.apps_v1 import Deployment
from lightkube.models.core_v1 import Container, Pod

from domain.scope import Scope
from evidence.change_impact import LOOK_BACK, Changed
from evidence.clients.kubernetes import utc
from evidence.onset import fault_at
from evidence.pods import workload, workload_of
from evidence.probe_specs import name_of
from evidence.unready import Fallen

REVISION = "deployment.kubernetes.io/revision"
# A rollout that made these pods ended within this time of the first of them.
TOGETHER = timedelta(minutes=15)
# Kubernetes mounts the account's token by itself, under a name of its own in each pod.
MOUNTED = "kube-api-access-"
SETTINGS = ("args", "command", "env", "envFrom", "livenessProbe", "ports", "readinessProbe", "resources",
            "startupProbe", "workingDir")  # fmt: skip
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class Generation:
    """The pods that one replica set made, and when the first of them that is left was made."""

    name: str
    at: datetime
    pods: tuple[Pod, ...]

    @property
    def changed(self) -> Changed:
        """The same as a change of the workload."""
        return Changed(self.at, f"replica set {self.name}", frozenset(name_of(p) for p in self.pods), rolled=True)


def generations(pods: Iterable[Pod], scope: Scope) -> list[Generation]:
    """The replica sets of the incident's workload that have pods, the latest last."""
    own = workload(scope)
    grouped: dict[str, list[Pod]] = {}
    for pod in pods:
        if workload_of(name_of(pod)) == own and (name := replica_set(pod)) and made_at(pod):
            grouped.setdefault(name, []).append(pod)
    found = [Generation(name, min(_times(of)), tuple(of)) for name, of in grouped.items()]
    return sorted(found, key=lambda g: (g.at, g.name))


def _times(pods: Iterable[Pod]) -> list[datetime]:
    return [at for pod in pods if (at := made_at(pod))]


def replica_set(pod: Pod) -> str:
    """The replica set that made a pod; empty for one that another controller made."""
    owners = (pod.metadata.ownerReferences or []) if pod.metadata else []
    return next((owner.name for owner in owners if owner.kind == "ReplicaSet"), "")


def made_at(pod: Pod) -> datetime | None:
    """When the pod was created."""
    at = pod.metadata.creationTimestamp if pod.metadata else None
    return utc(at) if at else None


def new_ones(found: Sequence[Generation], deployments: Sequence[Deployment], scope: Scope) -> list[Generation]:
    """Those that a rollout made in the hour before the fault: all but the first, or one that a later revision made."""
    fault = fault_at(scope)
    later = found[1:] if len(found) > 1 else [g for g in found if _is_later(g, deployments, scope)]
    return [g for g in later if fault - LOOK_BACK <= g.at <= scope.as_of]


def _is_later(generation: Generation, deployments: Sequence[Deployment], scope: Scope) -> bool:
    """Whether the deployment says that these pods are of a second or later revision, rolled out when they were made."""
    own = next((d for d in deployments if d.metadata and d.metadata.name == workload(scope)), None)
    if not own or not own.metadata or not own.status:
        return False
    revision = (own.metadata.annotations or {}).get(REVISION, "")
    times = [c.lastUpdateTime for c in own.status.conditions or [] if c.type == "Progressing" and c.lastUpdateTime]
    together = any(abs(utc(at) - generation.at) <= TOGETHER for at in times)
    return revision.isdigit() and int(revision) > 1 and together


def unready_now(pods: Iterable[Pod]) -> list[Fallen]:
    """Pods that are neither ready nor finished, with when they lost it; one that never had it, when it was made."""
    found = []
    for pod in pods:
        since = unready_since(pod)
        if since and pod.metadata:
            at_ms = round(since.timestamp() * 1000)
            found.append(Fallen(pod.metadata.namespace or "", name_of(pod), _node(pod), at_ms))
    return sorted(found)


def unready_since(pod: Pod) -> datetime | None:
    """When its Ready condition became false; None for a pod that is ready, finished or being deleted."""
    if not pod.status or pod.status.phase in {"Succeeded"} or (pod.metadata and pod.metadata.deletionTimestamp):
        return None
    ready = next((c for c in pod.status.conditions or [] if c.type == "Ready"), None)
    if ready is None:
        return made_at(pod) if pod.status.phase == "Pending" else None
    if ready.status == "True":
        return None
    return utc(ready.lastTransitionTime) if ready.lastTransitionTime else made_at(pod)


def _node(pod: Pod) -> str:
    return (pod.spec.nodeName or "") if pod.spec else ""


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs between two pods of one workload; images as `name: old -> new`, settings by their names."""

    images: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def probes(self) -> tuple[str, ...]:
        """Of the settings those that say how the container is probed."""
        return tuple(setting for setting in self.settings if setting.startswith(PROBES))

    @property
    def besides_probes(self) -> tuple[str, ...]:
        """The settings that the container itself can read."""
        return tuple(setting for setting in self.settings if not setting.startswith(PROBES))


def differences(old: Pod, new: Pod) -> Differences:
    """What the newer template has that the older one had not, as far as the pods show it."""
    before, after = _containers(old), _containers(new)
    both = sorted(set(before) & set(after))
    images = [f"{n}: {before[n].image} -> {after[n].image}" for n in both if before[n].image != after[n].image]
    images += [f"{n}: {after[n].image}" for n in sorted(set(after) - set(before))]
    settings = [f"{field} of {n}" for n in both for field in SETTINGS if _differs(before[n], after[n], field)]
    settings += [f"annotation {key}" for key in _annotations(old, new)]
    if _volumes(old) != _volumes(new):
        settings.append("volumes")
    return Differences(tuple(images), tuple(settings))


def _containers(pod: Pod) -> dict[str, Container]:
    spec = pod.spec
    return {c.name: c for c in [*(spec.initContainers or []), *spec.containers]} if spec else {}


def _differs(old: Container, new: Container, field: str) -> bool:
    return (getattr(old, field) or None) != (getattr(new, field) or None)


def _annotations(old: Pod, new: Pod) -> list[str]:
    """Annotations of the template; those of Kubernetes, of its networks and of meshes differ from pod to pod."""
    before, after = (dict((p.metadata.annotations or {}) if p.metadata else {}) for p in (old, new))
    keys = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return sorted(key for key in keys if "kubernetes.io/" not in key and "cni" not in key and "istio.io/" not in key)


def _volumes(pod: Pod) -> list[Any]:
    volumes = (pod.spec.volumes or []) if pod.spec else []
    return sorted((v for v in volumes if not v.name.startswith(MOUNTED)), key=lambda v: v.name)
