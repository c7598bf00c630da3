"""From a label, or a rule with @, to the entity that it names. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from domain.alerts import Family
from domain.entities import EntityKind, EntityRef
from domain.workloads import owner_of_replica_set, static_pod
from subjects.tables import reporter_named
from subjects.view import View

WORKLOADS = (
    "deployment", "statefulset", "daemonset", "rollout", "cloneset", "replicaset", "replicationcontroller",
    "deploymentconfig", "cronjob", "job_name", "workload",
)  # fmt: skip
HOSTS = ("node", "nodename", "node_name", "kubernetes_node", "host", "hostname", "host_name")
# Other objects of Kubernetes by the labels that name them; a label is also the object's kind.
OBJECTS = (
    "horizontalpodautoscaler", "poddisruptionbudget", "ingress", "certificatesigningrequest", "clusterresourcequota",
    "apiservice", "certificate", "application", "kustomization", "helmrelease", "clusteroperator",
)  # fmt: skip
# Labels that name a subject, the most specific one first.
SPECIFIC = (
    "pod", "pod_name", *WORKLOADS, "persistentvolumeclaim", "persistentvolume", *OBJECTS, *HOSTS, "service",
    "service_name", "destination_service",
)  # fmt: skip
KIND_OF_LABEL = {
    "pod": EntityKind.POD,
    "pod_name": EntityKind.POD,
    "persistentvolume": EntityKind.VOLUME,
    "persistentvolumeclaim": EntityKind.VOLUME,
    "service": EntityKind.SERVICE,
    "service_name": EntityKind.SERVICE,
    "destination_service": EntityKind.SERVICE,
    "namespace": EntityKind.NAMESPACE,
    **dict.fromkeys(WORKLOADS, EntityKind.WORKLOAD),
    **dict.fromkeys(HOSTS, EntityKind.HOST),
}
# Labels that say the namespace of what another label names, where that is not `namespace`.
NAMESPACE_OF = {
    "destination_workload": "destination_workload_namespace", "source_workload": "source_workload_namespace",
    "destination_service_name": "destination_service_namespace", "destination_service": "destination_service_namespace",
}  # fmt: skip
FAMILY_OF_KIND = {
    EntityKind.POD: Family.POD, EntityKind.WORKLOAD: Family.WORKLOAD, EntityKind.HOST: Family.NODE,
    EntityKind.VOLUME: Family.STORAGE, EntityKind.ETCD_CLUSTER: Family.ETCD, EntityKind.ETCD_MEMBER: Family.ETCD,
    EntityKind.SERVICE: Family.APPLICATION,
}  # fmt: skip
WITHOUT_NAMESPACE = frozenset({
    "persistentvolume", "namespace", "apiservice", "certificatesigningrequest", "clusterresourcequota",
    "clusteroperator", "machineconfig",
})  # fmt: skip
CONTROL_PLANE = "kube-system"
COMPONENT_OF_JOB = {
    "apiserver": "kube-apiserver",
    "kube-apiserver": "kube-apiserver",
    "kubernetes-apiserver": "kube-apiserver",
    "kubernetes-apiservers": "kube-apiserver",
    "kube-scheduler": "kube-scheduler",
    "kube-controller-manager": "kube-controller-manager",
    "controller-manager": "kube-controller-manager",
    "kube-proxy": "kube-proxy",
    "coredns": "coredns",
    "kube-dns": "coredns",
}
# Ports on which only machines answer: node exporter, Windows exporter, kubelet.
HOST_PORTS = frozenset({"9100", "9182", "10250", "10255"})
# The ports that are registered for etcd's clients and peers (IANA: etcd-client, etcd-server).
ETCD_PORTS = frozenset({"2379", "2380"})
_GOOGLE_INSTANCE = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?):([a-z][a-z0-9-]*)")
# The DNS name of a service of Kubernetes.
_SERVICE_NAME = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?")
_ADDRESS = re.compile(r"\A(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|[0-9a-fA-F:]*:[0-9a-fA-F:]+)\Z")


def entity_by(token: str, view: View) -> EntityRef | None:
    """The entity that a label or rule names in these labels; None when they do not have it."""
    if token.startswith("@"):
        rule = _RULES.get(token)
        return rule(view) if rule else component(token[1:], view.cluster)
    if ":" in token:  # written out, for rules that aggregate everything away
        kind, _, name = token.partition(":")
        return EntityRef(EntityKind(kind), name, view.cluster, view.namespace)
    label, _, source = token.partition("=")
    value = view.own.get(source or label, "")
    return _entity_of_label(label, value, _namespaced(source or label, view)) if value else None


def _namespaced(label: str, view: View) -> View:
    """The view with the namespace of what the label names, where another label says it."""
    namespace = view.own.get(NAMESPACE_OF.get(label, ""), "")
    return replace(view, own={**view.own, "namespace": namespace}) if namespace else view


def _entity_of_label(label: str, value: str, view: View) -> EntityRef:
    kind = KIND_OF_LABEL.get(label, EntityKind.OBJECT)
    namespace = "" if label in WITHOUT_NAMESPACE or kind is EntityKind.HOST else view.namespace
    if kind is EntityKind.SERVICE and (found := _SERVICE_NAME.fullmatch(value)):
        value, namespace = found[1], found[2]
    if kind is EntityKind.HOST:
        value = host_of(value)
    if kind is EntityKind.OBJECT:
        value = f"{label}/{value}"
    if label == "replicaset":  # by the hash at its end it belongs to a Deployment, or to the like
        value = owner_of_replica_set(value) or value
    return EntityRef(kind, value, view.cluster, namespace)


def component(name: str, cluster: str) -> EntityRef:
    """A component of the control plane; managed clusters do not show its pods, but it has the same name."""
    return EntityRef(EntityKind.WORKLOAD, name, cluster, CONTROL_PLANE)


def host_of(instance: str) -> str:
    """The host of an `instance` label: without its port, and an IPv6 address without its brackets."""
    host, colon, port = instance.rpartition(":")
    bare = host if colon and port.isdigit() and (":" not in host or host.startswith("[")) else instance
    return bare.removeprefix("[").removesuffix("]")


def port_of(instance: str) -> str:
    """The port of an `instance` label; empty when it has none."""
    port = instance.rpartition(":")[2]
    return port if port.isdigit() and host_of(instance) != instance else ""


def is_address(name: str) -> bool:
    """Whether a host's name is an IP address."""
    return bool(_ADDRESS.match(name))


def pod_of_instance(instance: str) -> str:
    """The pod of Google's managed collection, which writes `instance="pod:portname"`; empty for an address."""
    found = _GOOGLE_INSTANCE.fullmatch(instance)
    return found[1] if found else ""


def is_url(instance: str) -> bool:
    """Whether an `instance` is an address with a scheme, as probes have it."""
    return "://" in instance


def _host(view: View) -> EntityRef | None:
    for label in HOSTS:
        if value := view.own.get(label):
            return EntityRef(EntityKind.HOST, host_of(value), view.cluster)
    instance = view.own.get("instance") or (view.target.get("instance", "") if not view.exported else "")
    return EntityRef(EntityKind.HOST, host_of(instance), view.cluster) if instance else None


def _etcd(view: View) -> EntityRef:
    names = (view.cluster, view.own.get("etcd_cluster", ""), _job(view.target.get("job", "")))
    return EntityRef(EntityKind.ETCD_CLUSTER, next((n for n in names if n), "etcd"), view.cluster)


def _job(job: str) -> str:
    return job if "etcd" in job.lower() else ""


def _member(view: View) -> EntityRef:
    """The member that the labels name, with its other names; the whole etcd when they name none."""
    own = view.own
    instance, member, pod = own.get("instance", ""), own.get("member", ""), own.get("pod", "")
    if pod_of_instance(instance):
        instance, pod = "", pod_of_instance(instance)
    node = static[1] if (static := static_pod(pod, view.namespace)) else ""
    host = host_of(instance) if instance else ""
    name = instance or member or (pod if "etcd" in pod else "")
    if not name:
        return _etcd(view)
    names = {n for n in (member, pod, node, host) if n and n != name}
    return EntityRef(EntityKind.ETCD_MEMBER, name, view.cluster, "", tuple(sorted(names)))


def _target(view: View) -> EntityRef | None:
    """What was scraped: a host, a pod, a component, a service, in this order of knowledge."""
    labels, exports = {**view.target, **view.own}, view.reporter.exports if view.reporter else ""
    job = labels.get("job", "").lower().rpartition("/")[2]
    if exports == "host":
        return _host(view)
    if "etcd" in job and not view.reporter:
        return _member(view)
    if job in COMPONENT_OF_JOB and not labels.get("pod"):
        return component(COMPONENT_OF_JOB[job], view.cluster)
    if exports == "probed" or is_url(labels.get("instance", "")):
        return _probed(view)
    return _pod_or_service(labels, view)


def _pod_or_service(labels: Mapping[str, str], view: View) -> EntityRef | None:
    cluster, namespace, instance = view.cluster, labels.get("namespace", ""), labels.get("instance", "")
    if _is_written_over(instance, view):
        return EntityRef(EntityKind.SERVICE, instance, cluster, namespace)
    if pod := labels.get("pod") or pod_of_instance(instance):
        return EntityRef(EntityKind.POD, pod, cluster, namespace)
    if port_of(instance) in HOST_PORTS:
        return EntityRef(EntityKind.HOST, host_of(instance), cluster)
    job = labels.get("job", "").rpartition("/")[2]
    name = labels.get("service") or instance or job
    return EntityRef(EntityKind.SERVICE, name, cluster, namespace) if name else None


def _is_written_over(instance: str, view: View) -> bool:
    """Whether `instance` names the service that an exporter's pod is in front of, not the pod's own address."""
    reporter, pod = view.reporter, view.target.get("pod", "")
    in_front = reporter is not None and reporter.exports == "service" and reporter_named([pod]) == reporter
    named = bool(instance) and not is_address(host_of(instance)) and not pod_of_instance(instance)
    return in_front and named and not instance.startswith(pod)


def _probed(view: View) -> EntityRef | None:
    """The probed address. The namespace is that of the probe's declaration, unless the exporter's pod is known."""
    labels = {**view.target, **view.own}
    name = next((labels[label] for label in ("target", "url", "instance") if labels.get(label)), "")
    if not name:
        return entity_by("ingress", view)
    namespace = "" if view.target.get("pod") or view.target.get("container") else view.namespace
    return EntityRef(EntityKind.SERVICE, name, view.cluster, namespace)


def _operator(view: View) -> EntityRef | None:
    """A cluster operator of OpenShift by its `name` label; that of etcd speaks of the whole etcd."""
    name = view.own.get("name", "")
    if name == "etcd":
        return EntityRef(EntityKind.ETCD_CLUSTER, view.cluster or "etcd", view.cluster)
    if name in COMPONENT_OF_JOB:
        return component(COMPONENT_OF_JOB[name], view.cluster)
    return EntityRef(EntityKind.OBJECT, f"clusteroperator/{name}", view.cluster) if name else None


def _container(view: View) -> EntityRef | None:
    """A container outside Kubernetes by its name, else the host that it runs on."""
    name = view.own.get("name", "")
    return EntityRef(EntityKind.SERVICE, name, view.cluster) if name else _host(view)


def _cluster(view: View) -> EntityRef:
    return EntityRef(EntityKind.CLUSTER, view.cluster, view.cluster)


_RULES: Mapping[str, Callable[[View], EntityRef | None]] = {
    "@host": _host, "@etcd": _etcd, "@member": _member, "@target": _target, "@component": _target, "@probed": _probed,
    "@operator": _operator, "@container": _container, "@cluster": _cluster,
}  # fmt: skip
