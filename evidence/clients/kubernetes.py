"""The Kubernetes API, read only: the lists of one namespace, and the nodes, as lightkube's models.

Requests go through the recording client, so a replay needs no cluster and no kubeconfig.
"""

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec
from lightkube.models.apps_v1 import Deployment, DeploymentList
from lightkube.models.core_v1 import Event, EventList, Node, NodeList, Pod, PodList
from lightkube.models.discovery_v1 import EndpointSlice, EndpointSliceList

from domain.connections import KubernetesDecl
from domain.errors import Malformed, Refused, Unreachable
from domain.text import Text
from evidence.memo import Memo
from evidence.recording import Transports

L = TypeVar("L")
# Namespaces come from alerts; anything else would be another path of the API.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# The server's address in a replay, where no request leaves.
NOWHERE = "https://kubernetes.invalid"
# Made here, where one thread imports: several that meet a type of this size for the first time at once crash msgspec.
DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (DeploymentList, EndpointSliceList, EventList, NodeList, PodList)
}


class _Status(msgspec.Struct):
    """What the API answers with an error."""

    message: str = ""


def utc(time: datetime) -> datetime:
    """A time of the API as aware UTC; one without a zone is UTC."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


class Kubernetes:
    """One cluster. All calls raise Unreachable, Refused, Malformed or NotRecorded with one sentence."""

    def __init__(self, declared: KubernetesDecl, transports: Transports, memo: Memo | None = None) -> None:
        self._declared, self._transports, self._memo = declared, transports, memo or Memo()

    def pods(self, namespace: str) -> tuple[Pod, ...]:
        """Every pod of the namespace."""
        return tuple(self._list(of("api/v1", namespace, "pods"), PodList).items)

    def events(self, namespace: str) -> tuple[Event, ...]:
        """The events that are still kept; by default the API server forgets them after an hour."""
        return tuple(self._list(of("api/v1", namespace, "events"), EventList).items)

    def endpoint_slices(self, namespace: str) -> tuple[EndpointSlice, ...]:
        """Which addresses belong to each service, and which of them are ready."""
        path = of("apis/discovery.k8s.io/v1", namespace, "endpointslices")
        return tuple(self._list(path, EndpointSliceList).items)

    def deployments(self, namespace: str) -> tuple[Deployment, ...]:
        """Every deployment with its rollout's conditions."""
        return tuple(self._list(of("apis/apps/v1", namespace, "deployments"), DeploymentList).items)

    def nodes(self) -> tuple[Node, ...]:
        """Every node with its conditions."""
        return tuple(self._list("/api/v1/nodes", NodeList).items)

    def _list(self, path: str, kind: type[L]) -> L:
        """A namespace's pods are wanted by three checks, and reading them is most of the work."""
        return self._memo.once((self._declared.name, path), lambda: self._read(path, kind))

    def _read(self, path: str, kind: type[L]) -> L:
        answer = self._get(path)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unreachable(Text("the Kubernetes API answered {status}", status=answer.status_code))
        if answer.status_code != 200:
            raise Refused(
                Text(
                    "the Kubernetes API refused {path} ({status}): {message}",
                    path=path,
                    status=answer.status_code,
                    message=_message(answer.content),
                )
            )
        try:
            found: L = DECODERS[kind].decode(answer.content)
            return found
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(
                Text("the Kubernetes API answered {path} with something that is not its list", path=path)
            ) from error

    def _get(self, path: str) -> httpx.Response:
        declared = self._declared
        with self._transports.client(declared.name, declared.url or NOWHERE, declared) as client:
            try:
                return client.get(path)
            except httpx.TimeoutException as error:
                raise Unreachable(Text("the Kubernetes API did not answer in time")) from error
            except httpx.HTTPError as error:
                raise Unreachable(
                    Text("the Kubernetes API cannot be reached ({error})", error=type(error).__name__)
                ) from error


def of(group: str, namespace: str, plural: str) -> str:
    """The path of one namespace's list. Raises Refused when the name cannot be a namespace's."""
    if not NAME.fullmatch(namespace):
        raise Refused(
            Text(
                "`{namespace}` is no namespace's name; keep the `namespace` label in the alert",
                namespace=namespace[:80],
            )
        )
    return f"/{group}/namespaces/{namespace}/{plural}"


def _message(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Status).message[:200] or "it gave no reason"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "it gave no reason"
