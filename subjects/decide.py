"""Decides what an alert is about."""

from collections.abc import Mapping

from domain.alerts import Family
from domain.connections import SourceDecl
from domain.entities import EntityKind, EntityRef
from subjects.subject import Sent, Subject

WORKLOAD_LABELS = ("deployment", "statefulset", "daemonset")


def subject_of(sent: Sent, declared: SourceDecl) -> Subject:
    """The subject of one alert; `declared` is its source's declaration."""
    found = _zabbix_entities(sent.labels) if sent.sender == "zabbix" else _entities_of(sent.labels)
    return Subject(found[0] if found else None, Family.UNKNOWN, others=found[1:])


def _zabbix_entities(tag: Mapping[str, str]) -> tuple[EntityRef, ...]:
    cluster, namespace = tag.get("cluster", ""), tag.get("namespace", "")
    found: list[EntityRef] = []
    if "pod" in tag:
        found.append(EntityRef(EntityKind.POD, tag["pod"], cluster, namespace))
    if "service" in tag:
        found.append(EntityRef(EntityKind.SERVICE, tag["service"], cluster, namespace))
    host = tag.get("host_host") or tag.get("host_name", "")
    if host:
        names = tuple(n for n in (tag.get(k, "") for k in ("host_name", "host_ip", "host_dns")) if n)
        etcd = tag.get("component", "").lower() == "etcd" or tag.get("item_key", "").startswith("etcd.")
        kind = EntityKind.ETCD_MEMBER if etcd else EntityKind.HOST
        found.append(EntityRef(kind, host, cluster, "", names))
    return tuple(found)


def _entities_of(labels: Mapping[str, str]) -> tuple[EntityRef, ...]:
    """The entities that the labels name, most specific first; the declared topology refines them later."""
    cluster, namespace = labels.get("cluster", ""), labels.get("namespace", "")
    found = _workload_entities(labels, cluster, namespace)
    instance = labels.get("instance", "")
    if _about_etcd(labels):
        found.append(_etcd(labels, cluster))
    elif _probed(labels):
        # A blackbox exporter's instance is what it probes, not where it runs.
        if instance and not found:
            found.append(EntityRef(EntityKind.SERVICE, instance, cluster, namespace))
    elif host := _host(labels):
        found.append(EntityRef(EntityKind.HOST, host, cluster, "", (instance,) if instance else ()))
    if not found and cluster and not namespace:
        found.append(EntityRef(EntityKind.CLUSTER, cluster, cluster))
    return tuple(found)


def _workload_entities(labels: Mapping[str, str], cluster: str, namespace: str) -> list[EntityRef]:
    """The pod, the workloads and the service that the labels name, in this order."""
    kinds = [("pod", EntityKind.POD)]
    kinds += [(label, EntityKind.WORKLOAD) for label in WORKLOAD_LABELS]
    kinds += [("service", EntityKind.SERVICE)]
    return [EntityRef(kind, labels[label], cluster, namespace) for label, kind in kinds if labels.get(label)]


def _host(labels: Mapping[str, str]) -> str:
    """The host that the labels name; a pod's `instance` is the pod's own address and names none."""
    if labels.get("node"):
        return labels["node"]
    return "" if labels.get("pod") else _without_port(labels.get("instance", ""))


def _probed(labels: Mapping[str, str]) -> bool:
    return "blackbox" in labels.get("job", "").lower() or "://" in labels.get("instance", "")


def _without_port(instance: str) -> str:
    """The host of an `instance` label; an IPv6 address keeps its brackets."""
    host, colon, port = instance.rpartition(":")
    return host if colon and port.isdigit() else instance


def _about_etcd(labels: Mapping[str, str]) -> bool:
    return "etcd" in labels.get("job", "").lower() or "etcd" in labels.get("alertname", "").lower()


def _etcd(labels: Mapping[str, str], cluster: str) -> EntityRef:
    instance, member = labels.get("instance", ""), labels.get("member", "")
    if instance or member:
        names = tuple(n for n in (member, _without_port(instance)) if n)
        return EntityRef(EntityKind.ETCD_MEMBER, instance or member, cluster, "", names)
    return EntityRef(EntityKind.ETCD_CLUSTER, cluster or labels.get("job", "etcd"), cluster)
