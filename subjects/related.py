"""What an alert names beside its subject: the workload of a pod, the node that it runs on, the maker of a job. Pure."""

from collections.abc import Iterator

from domain.entities import EntityKind, EntityRef
from domain.workloads import cron_job_of, owner_of_replica_set, static_pod, workload_of
from subjects.naming import WORKLOADS, host_of
from subjects.view import View

# Whose `node` label is that of the pod: who runs it, and who watches it there.
ON_THE_NODE = frozenset({"", "kubelet", "otel-collector"})


def others_of(ref: EntityRef | None, view: View, reporter: str) -> tuple[EntityRef, ...]:
    """Entities that belong to the subject by these labels or by the form of its name."""
    if ref is None:
        return ()
    if ref.kind is EntityKind.POD:
        return tuple(_of_pod(ref, view, reporter))
    if ref.kind is EntityKind.WORKLOAD and (maker := cron_job_of(ref.name)):
        return (EntityRef(EntityKind.WORKLOAD, maker, ref.cluster, ref.namespace),)
    return ()


def _of_pod(pod: EntityRef, view: View, reporter: str) -> Iterator[EntityRef]:
    own = view.own
    if workload := _named_workload(view, reporter) or workload_of(pod.name, pod.namespace):
        yield EntityRef(EntityKind.WORKLOAD, workload, pod.cluster, pod.namespace)
    if not reporter and own.get("service"):
        yield EntityRef(EntityKind.SERVICE, own["service"], pod.cluster, pod.namespace)
    if node := _node(pod, view, reporter):
        yield EntityRef(EntityKind.HOST, node, pod.cluster)


def _node(pod: EntityRef, view: View, reporter: str) -> str:
    """The node that runs the pod.

    Of kube-state-metrics the label may be its own node's, unless the rule has aggregated the scraped target away.
    """
    aggregated = reporter == "kube-state-metrics" and not view.target.get("instance")
    named = view.own.get("node", "") if reporter in ON_THE_NODE or aggregated else ""
    return host_of(named) if named else node_of_static(pod)


def _named_workload(view: View, reporter: str) -> str:
    """The workload that the labels name beside the pod; of a replica set its owner, by the form of its name."""
    for label in WORKLOADS:
        if name := view.own.get(label):
            return owner_of_replica_set(name) or name if label == "replicaset" else name
    return ""


def node_of_static(pod: EntityRef) -> str:
    """The node that a static pod is named after; empty for other pods."""
    found = static_pod(pod.name, pod.namespace)
    return found[1] if found else ""
