"""Which workload a pod, or another object of an event, belongs to: by its owner reference, of any kind. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from domain.workloads import cron_job_of, owner_of_replica_set
from evidence.clients import kubernetes_watch as api
from ingest.events.message import NODE, STATIC_POD, Owner

# Labels by which the controllers mark the pods of a replica set with the hash that is in its name, and who makes it.
HASHES: Mapping[str, str] = MappingProxyType({
    "pod-template-hash": "Deployment", "rollouts-pod-template-hash": "Rollout",
})  # fmt: skip


def owner_of(about: api.Meta) -> Owner:
    """The workload of a pod by its controller, or by the only owner that it has; a pod without one is its own."""
    found = _controller(about.ownerReferences or ())
    if found is None or not found.kind or not found.name:
        return Owner("Pod", about.name)
    if found.kind == NODE:
        return Owner(STATIC_POD, about.name)
    return made_by(found.kind, found.name, about.labels or {})


def _controller(owners: Sequence[api.Owner]) -> api.Owner | None:
    """The controller; some operators own their pods without being called so."""
    named = next((owner for owner in owners if owner.controller), None)
    return named or (owners[0] if len(owners) == 1 else None)


def made_by(kind: str, name: str, labels: Mapping[str, str]) -> Owner:
    """What made a replica set or a job, by the labels of its pods or the form of its name; any other kind itself."""
    if kind == "ReplicaSet":
        for label, maker in HASHES.items():
            ending = f"-{labels.get(label, '')}"
            if labels.get(label) and name.endswith(ending) and name != ending:
                return Owner(maker, name.removesuffix(ending))
        deployment = owner_of_replica_set(name)
        return Owner("Deployment", deployment) if deployment else Owner(kind, name)
    if kind == "Job" and (cron_job := cron_job_of(name)):
        return Owner("CronJob", cron_job)
    return Owner(kind, name)
