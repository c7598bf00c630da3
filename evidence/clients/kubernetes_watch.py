"""Follows pods, nodes and events of a whole cluster: lists in pages, then watches from that version on.

Of each object only the fields named here are decoded, so nothing else of it (environment, arguments, annotations) is
ever held. A watch ends by itself after `WATCH_S`; an API server that says nothing for longer has hung.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from domain.connections import KubernetesDecl
from domain.errors import Malformed, Refused, Unreachable
from domain.secrets import ReadSecret
from evidence.bounded import content_of
from evidence.ways import CONNECT_S, FILES_ONLY, kubernetes_way

WATCH_S = 50
HUNG_S = 65.0
PAGE = 250
MOST_PAGES = 400
# The largest object that etcd stores by default is 1.5 MiB.
LINE_LIMIT = 8 * 1024 * 1024
MANIFEST = "docs/kubernetes/read-only-role.yaml"
T = TypeVar("T")


class Expired(Unreachable):
    """The version to go on from is no longer kept (410): list anew."""


class Owner(msgspec.Struct, frozen=True):
    """One owner reference."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(msgspec.Struct, frozen=True):
    """What is needed of an object's metadata."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""
    creationTimestamp: datetime | None = None
    deletionTimestamp: datetime | None = None
    deletionGracePeriodSeconds: int | None = None
    ownerReferences: list[Owner] | None = None
    labels: dict[str, str] | None = None


class About(msgspec.Struct, frozen=True):
    """What an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    fieldPath: str = ""


class Series(msgspec.Struct, frozen=True):
    """How newer clients count repeated events."""

    count: int = 1
    lastObservedTime: datetime | None = None


class SeenEvent(msgspec.Struct, frozen=True):
    """An event of core/v1."""

    metadata: Meta
    involvedObject: About
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    firstTimestamp: datetime | None = None
    lastTimestamp: datetime | None = None
    eventTime: datetime | None = None
    series: Series | None = None


class Condition(msgspec.Struct, frozen=True):
    """One condition of a pod or a node."""

    type: str = ""
    status: str = ""
    message: str | None = None
    lastTransitionTime: datetime | None = None


class Running(msgspec.Struct, frozen=True):
    """A container that runs."""

    startedAt: datetime | None = None


class Waiting(msgspec.Struct, frozen=True):
    """Why a container does not run yet."""

    reason: str | None = None


class ContainerState(msgspec.Struct, frozen=True):
    """Whether it runs, or waits."""

    running: Running | None = None
    waiting: Waiting | None = None


class ContainerStatus(msgspec.Struct, frozen=True):
    """One container of a pod."""

    name: str = ""
    state: ContainerState | None = None


class ContainerSpec(msgspec.Struct, frozen=True):
    """A container's name, and whether an init container goes on running: then it is a sidecar."""

    name: str = ""
    restartPolicy: str | None = None


class PodSpec(msgspec.Struct, frozen=True):
    """Where it runs, and its containers."""

    nodeName: str | None = None
    containers: list[ContainerSpec] | None = None
    initContainers: list[ContainerSpec] | None = None


class PodStatus(msgspec.Struct, frozen=True):
    """How it is."""

    phase: str = ""
    conditions: list[Condition] | None = None
    containerStatuses: list[ContainerStatus] | None = None
    initContainerStatuses: list[ContainerStatus] | None = None


class SeenPod(msgspec.Struct, frozen=True):
    """A pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class NodeStatus(msgspec.Struct, frozen=True):
    """How it is."""

    conditions: list[Condition] | None = None


class SeenNode(msgspec.Struct, frozen=True):
    """A node."""

    metadata: Meta
    status: NodeStatus = NodeStatus()


class _ListMeta(msgspec.Struct):
    resourceVersion: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, Generic[T]):
    metadata: _ListMeta
    items: list[T] | None = None


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Versioned(msgspec.Struct):
    metadata: Meta


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What is followed: the path of its list in the whole cluster, its name in a role, and how it is decoded."""

    path: str
    plural: str
    one: "msgspec.json.Decoder[T]"
    page: "msgspec.json.Decoder[_Page[T]]"


# Made here, where one thread imports.
PODS = Kind("api/v1/pods", "pods", msgspec.json.Decoder(SeenPod), msgspec.json.Decoder(_Page[SeenPod]))
NODES = Kind("api/v1/nodes", "nodes", msgspec.json.Decoder(SeenNode), msgspec.json.Decoder(_Page[SeenNode]))
EVENTS = Kind("api/v1/events", "events", msgspec.json.Decoder(SeenEvent), msgspec.json.Decoder(_Page[SeenEvent]))
_LINES = msgspec.json.Decoder(_Line)
_STATUS = msgspec.json.Decoder(_Status)
_VERSIONED = msgspec.json.Decoder(_Versioned)


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """One line of a watch. A bookmark has no object, only the version reached."""

    type: str
    version: str
    object: T | None


class Watched:
    """One cluster's API. All calls raise Unreachable (Expired among them), Refused or Malformed with one sentence."""

    def __init__(self, declared: KubernetesDecl, read: ReadSecret = FILES_ONLY, hung_s: float = HUNG_S) -> None:
        self._declared, self._read, self._hung_s = declared, read, hung_s

    def listed(self, kind: Kind[T]) -> tuple[list[T], str]:
        """All objects and the version of the list, which a watch may go on from."""
        items: list[T] = []
        params = {"limit": str(PAGE)}
        with self._client() as client:
            for _ in range(MOST_PAGES):
                page = self._page(client, kind, params)
                items += page.items or []
                if not page.metadata.continue_:
                    return items, page.metadata.resourceVersion
                params["continue"] = page.metadata.continue_
        raise Refused(f"{self._declared.name} has more than {PAGE * MOST_PAGES} {kind.plural}; set watch = false")

    def followed(self, kind: Kind[T], version: str) -> Iterator[Change[T]]:
        """Every change after that version, until the watch ends."""
        params = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_S)}
        params |= {"resourceVersion": version}
        try:
            with self._client() as client, client.stream("GET", kind.path, params=params) as answer:
                if answer.status_code != 200:
                    raise self._error(answer.status_code, content_of(answer), "watch", kind.plural)
                for line in _lines(answer):
                    yield _change(line, kind)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _page(self, client: httpx.Client, kind: Kind[T], params: dict[str, str]) -> _Page[T]:
        try:
            with client.stream("GET", kind.path, params=params) as answer:
                content = content_of(answer)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if answer.status_code != 200:
            raise self._error(answer.status_code, content, "list", kind.plural)
        found: _Page[T] = _decoded(kind.page, content, kind.plural)
        return found

    def _client(self) -> httpx.Client:
        """A new one for each request: tokens and certificates are replaced while a watcher runs."""
        way = kubernetes_way(self._declared, self._read)
        return httpx.Client(
            base_url=way.base_url, headers=way.headers, auth=way.auth, transport=way.transport,
            timeout=httpx.Timeout(self._hung_s, connect=CONNECT_S), follow_redirects=False, trust_env=False,
        )  # fmt: skip

    def _unreachable(self, error: httpx.HTTPError) -> Unreachable:
        late = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
        return Unreachable(f"the Kubernetes API of {self._declared.name} {late} ({type(error).__name__})")

    def _error(self, status: int, content: bytes, verb: str, plural: str) -> Unreachable | Refused:
        message = _message(content)
        if status == 410:
            return Expired(f"the version of {plural} is no longer kept")
        if status == 403:
            return Refused(f"the API of {self._declared.name} does not allow `{verb}` on `{plural}`; apply {MANIFEST}")
        if status == 401:
            return Refused(f"the API of {self._declared.name} does not know this account; give a token that is valid")
        if status >= 500 or status == 429:
            return Unreachable(f"the Kubernetes API of {self._declared.name} answered {status} {message}".strip())
        return Refused(f"the API of {self._declared.name} refused to {verb} {plural} ({status}) {message}".strip())


def _lines(answer: httpx.Response) -> Iterator[bytes]:
    """The lines as they come. Raises Malformed for one without an end."""
    rest = bytearray()
    for part in answer.iter_bytes():
        rest += part
        while (end := rest.find(b"\n")) >= 0:
            line = bytes(rest[:end])
            del rest[: end + 1]
            if line.strip():
                yield line
        if len(rest) > LINE_LIMIT:
            raise Malformed(f"the Kubernetes API sent a line of more than {LINE_LIMIT} bytes")


def _change(line: bytes, kind: Kind[T]) -> Change[T]:
    change = _decoded(_LINES, line, kind.plural)
    if change.type == "ERROR":
        status = _decoded(_STATUS, change.object, kind.plural)
        if status.code == 410:
            raise Expired(f"the version of {kind.plural} is no longer kept")
        raise Unreachable(f"the watch of {kind.plural} ended ({status.code}): {status.message[:200]}")
    version = _decoded(_VERSIONED, change.object, kind.plural).metadata.resourceVersion
    found = None if change.type == "BOOKMARK" else _decoded(kind.one, change.object, kind.plural)
    return Change(change.type, version, found)


def _decoded(decoder: "msgspec.json.Decoder[Any]", content: bytes | msgspec.Raw, plural: str) -> Any:
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"the Kubernetes API answered {plural} with something that is not theirs") from error


def _message(content: bytes) -> str:
    try:
        return _STATUS.decode(content).message[:200]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
