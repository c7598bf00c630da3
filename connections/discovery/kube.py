"""Asks the cluster of a kubeconfig for its nodes and their zones."""

from pathlib import Path

from lightkube.models.core_v1 import Node as ApiNode

from connections.discovery.seen import KubernetesSeen, Node
from domain.connections import Connections, KubernetesDecl
from evidence.clients.kubeconfig import cluster_name
from evidence.clients.kubernetes import Kubernetes
from evidence.recording import LiveTransports

ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


def see_kubernetes(file: Path, timeout_s: float) -> KubernetesSeen:
    """The nodes of the kubeconfig's current context. Raises Unreachable, Refused or Malformed with the remedy."""
    path = str(file.resolve())
    declared = KubernetesDecl(name=cluster_name(path) or "kubernetes", kubeconfig_file=path, timeout_s=timeout_s)
    nodes = Kubernetes(declared, LiveTransports(Connections(kubernetes=[declared]))).nodes()
    return KubernetesSeen(path, cluster_name(path), tuple(node for found in nodes if (node := _node(found)).name))


def _node(found: ApiNode) -> Node:
    meta, status = found.metadata, found.status
    labels = (meta.labels if meta else None) or {}
    addresses = (status.addresses if status else None) or []
    zone = next((labels[name] for name in ZONES if labels.get(name)), "")
    return Node((meta.name if meta else None) or "", zone, tuple(a.address for a in addresses))
