"""Learns the names of machines: from the node objects of declared clusters and from `kube_node_info`."""

from collections.abc import Iterator
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
from evidence.bounded import content_of
from evidence.ways import Way, kubernetes_way, reading, way_to
from incidents import names, queries
from incidents.identity import LOOPBACK, only_cluster
from incidents.names import Statement
from subjects.view import CLUSTER_LABELS

TIMEOUT_S = 10.0
MOST_NODES = 5000
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
    way = way_to(declared.url, declared, reading(settings.DECLARED_SECRET))
    content = _content(way, "api/v1/query", {"query": "kube_node_info"}, declared)
    only = declared.clusters[0] if len(declared.clusters) == 1 else only_cluster(connections)
    because = Text("kube_node_info of {server} has both", server=declared.name)
    for series in _ANSWER.decode(content).data.result[:MOST_NODES]:
        labels = series.metric
        cluster = next((labels[name] for name in CLUSTER_LABELS if labels.get(name)), only)
        yield from _named(labels.get("node", ""), (labels.get("internal_ip", ""),), cluster, because)


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
