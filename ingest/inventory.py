"""Learns the names of machines from node objects and `kube_node_info`, and the owners of pods from `kube_pod_info`."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import msgspec
import structlog
from django.conf import settings

from connections.declared import connections_for
from domain.connections import Access, Connections, KubernetesDecl, PrometheusDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import ProductError
from domain.text import Text
from domain.workloads import cron_job_of, owner_of_replica_set
from evidence.bounded import content_of
from evidence.clients.prometheus import escape
from evidence.ways import Way, kubernetes_way, reading, way_to
from incidents import names, owners, queries
from incidents.identity import LOOPBACK, only_cluster
from incidents.names import Statement
from incidents.owners import Owned
from subjects.view import CLUSTER_LABELS

TIMEOUT_S = 10.0
MOST_NODES = MOST_SERIES = 5000
RECENT = timedelta(hours=1)
# Addresses of a node object that are names of the machine; others are shared or change.
ADDRESSES = frozenset({"InternalIP", "Hostname", "InternalDNS"})
log = structlog.get_logger()


class _Address(msgspec.Struct):
    type: str = ""
    address: str = ""


class _Status(msgspec.Struct):
    addresses: list[_Address] = []


class _Meta(msgspec.Struct):
    name: str = ""


class _Node(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    status: _Status = msgspec.field(default_factory=_Status)


class _Nodes(msgspec.Struct):
    items: list[_Node] = []


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}


class _Data(msgspec.Struct):
    result: list[_Series] = []


class _Answer(msgspec.Struct):
    data: _Data


_NODES, _ANSWER = msgspec.json.Decoder(_Nodes), msgspec.json.Decoder(_Answer)


def learn_names() -> int:
    """Ask every declared cluster and server for its machines; how many names are new. What fails is logged."""
    declared = queries.connections()
    asked = [(f"kubernetes {k.name}", partial(_of_cluster, k)) for k in declared.kubernetes if k.has_api]
    asked += [(f"prometheus {p.name}", partial(_of_server, p, declared)) for p in declared.prometheus]
    return sum(_learn(by, statements) for by, statements in asked)


def learn_owners(now: datetime) -> int:
    """Ask every declared server who owns the pods of recent alerts whose names do not say it; how many got one."""
    pods = owners.pods_without_workload(now - RECENT)
    declared = queries.connections()
    found: dict[str, Owned] = {}
    for server in declared.prometheus if pods else ():
        try:
            found |= {owned.pod.key: owned for owned in _owners(server, declared, pods)}
        except (httpx.HTTPError, msgspec.MsgspecError, ProductError) as error:
            log.warning("owners_unknown", asked=server.name, error=str(error))
    return owners.store_owners(list(found.values()))


def _owners(declared: PrometheusDecl, connections: Connections, pods: Sequence[EntityRef]) -> Iterator[Owned]:
    asked = {(pod.namespace, pod.name): pod for pod in pods}
    names = "|".join(sorted({re.escape(pod.name) for pod in pods}))
    because = Text("kube_pod_info of {server} has both", server=declared.name)
    for labels in _series(declared, f'kube_pod_info{{pod=~"{escape(names)}"}}'):
        pod = asked.get((labels.get("namespace", ""), labels.get("pod", "")))
        workload = _workload(labels.get("created_by_kind", ""), labels.get("created_by_name", ""))
        if pod and workload and pod.cluster in {"", _cluster(labels, declared, connections)}:
            yield Owned(pod, workload, because)


def _workload(kind: str, name: str) -> str:
    """The workload by what made the pod; a replica set and a job have their own makers, a node is no workload."""
    if kind in {"", "<none>", "Node"} or name in {"", "<none>"}:
        return ""
    if kind == "ReplicaSet":
        return owner_of_replica_set(name) or name
    return cron_job_of(name) or name if kind == "Job" else name


def _learn(by: str, statements: Any) -> int:
    try:
        return names.learn(list(statements()), by, connections_for)
    except (httpx.HTTPError, msgspec.MsgspecError, ProductError) as error:
        log.warning("names_unknown", asked=by, error=str(error))
        return 0


def _of_cluster(declared: KubernetesDecl) -> Iterator[Statement]:
    way = kubernetes_way(declared, reading(settings.DECLARED_SECRET))
    content = _content(way, "api/v1/nodes", {"limit": str(MOST_NODES)}, declared)
    because = Text("the node object of cluster {cluster} has both", cluster=declared.name)
    for node in _NODES.decode(content).items[:MOST_NODES]:
        addresses = (a.address for a in node.status.addresses if a.type in ADDRESSES)
        yield from _named(node.metadata.name, addresses, declared.name, because)


def _of_server(declared: PrometheusDecl, connections: Connections) -> Iterator[Statement]:
    because = Text("kube_node_info of {server} has both", server=declared.name)
    for labels in _series(declared, "kube_node_info"):
        cluster = _cluster(labels, declared, connections)
        yield from _named(labels.get("node", ""), (labels.get("internal_ip", ""),), cluster, because)


def _series(declared: PrometheusDecl, query: str) -> Iterator[dict[str, str]]:
    """The labels of each series of an instant query, at most `MOST_SERIES`."""
    way = way_to(declared.url, declared, reading(settings.DECLARED_SECRET))
    content = _content(way, "api/v1/query", {"query": query}, declared)
    yield from (series.metric for series in _ANSWER.decode(content).data.result[:MOST_SERIES])


def _cluster(labels: dict[str, str], declared: PrometheusDecl, connections: Connections) -> str:
    """The cluster of a series: its label, the only one that the server answers for, the only one that is declared."""
    only = declared.clusters[0] if len(declared.clusters) == 1 else only_cluster(connections)
    return next((labels[name] for name in CLUSTER_LABELS if labels.get(name)), only)


def _named(node: str, addresses: Any, cluster: str, because: Text) -> Iterator[Statement]:
    ref = EntityRef(EntityKind.HOST, node, cluster).bounded()
    for address in addresses:
        if node and address and address not in LOOPBACK:
            yield Statement(ref, address, because)


def _content(way: Way, path: str, query: dict[str, str], access: Access) -> bytes:
    """One bounded answer, with verified TLS, no proxies, no redirects."""
    client = httpx.Client(
        base_url=way.base_url, headers=way.headers, transport=way.transport, auth=way.auth,
        timeout=min(TIMEOUT_S, access.timeout_s), follow_redirects=False, trust_env=False,
    )  # fmt: skip
    with client, client.stream("GET", path, params=query) as answer:
        answer.raise_for_status()
        return content_of(answer)
