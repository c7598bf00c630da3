"""Finds missing permissions of a Kubernetes account by asking its API with the smallest possible requests."""

import re

import httpx
import msgspec

from domain.connections import KubernetesDecl
from evidence.recording import LiveTransports

LIMIT_S = 5.0
# What checks list, cluster-wide as the shipped role grants it; `FOLLOWED` are watched as well.
LISTS = {
    "pods": "api/v1/pods",
    "events": "api/v1/events",
    "nodes": "api/v1/nodes",
    "endpointslices.discovery.k8s.io": "apis/discovery.k8s.io/v1/endpointslices",
    "deployments.apps": "apis/apps/v1/deployments",
}
FOLLOWED = ("pods", "events")
# Without these the watcher goes on, and brings in no alert of a node.
ALSO_FOLLOWED = ("nodes",)
VERSION = re.compile(r"\d{1,20}")


class _Meta(msgspec.Struct):
    resourceVersion: str = ""


class _List(msgspec.Struct):
    metadata: _Meta


def missing(cluster: KubernetesDecl, transports: LiveTransports) -> tuple[list[str], list[str]]:
    """Missing permissions, e.g. `watch on events`: those that the watcher needs, and all others.

    Raises httpx.HTTPError and ProductError when the API cannot be asked.
    """
    followed: list[str] = []
    others: list[str] = []
    with transports.client(cluster.name, cluster.url or "https://kubernetes.invalid", cluster) as client:
        for plural, path in LISTS.items():
            answer = client.get(path, params={"limit": "1"}, timeout=LIMIT_S)
            lacks = [f"list on {plural}"] if answer.status_code == 403 else []
            if plural in FOLLOWED + ALSO_FOLLOWED and cluster.watched:
                lacks += _watch(client, plural, path, _version(answer))
            if plural in FOLLOWED and cluster.watched:
                followed += lacks
            else:
                others += lacks
    return followed, others


def _watch(client: httpx.Client, plural: str, path: str, version: str) -> list[str]:
    """Missing permission to watch, by a watch of one second that starts at the newest version."""
    params = {"watch": "1", "timeoutSeconds": "1", "resourceVersion": version or "1"}
    answer = client.get(path, params=params, timeout=LIMIT_S)
    return [f"watch on {plural}"] if answer.status_code == 403 else []


def _version(answer: httpx.Response) -> str:
    try:
        version = msgspec.json.decode(answer.content, type=_List).metadata.resourceVersion
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return version if VERSION.fullmatch(version) else ""
