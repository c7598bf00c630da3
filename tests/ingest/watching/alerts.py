"""The alerts that the watcher's state makes of pods, nodes and events, through the parser of its source."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from domain.alerts import ParsedAlert
from domain.connections import SourceDecl
from evidence.clients.kubernetes_watch import EVENTS, NODES, PODS
from ingest.events.message import EventGroupMessage
from ingest.sources import all_sources
from ingest.watching.state import WatchState
from tests.ingest.watching.made import at, stamp

DECLARED = SourceDecl(kind="kubernetes", name="prod-a")


def owned(kind: str, name: str) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "controller": True}], "labels": {}}


def pod_of(
    namespace: str, name: str, owner: tuple[str, str] | None, node: str = "worker-1", *,
    containers: Sequence[str] = ("app",), ready: bool = False, waiting: str = "", **spec: Any,
) -> dict[str, Any]:  # fmt: skip
    """A pod that is an hour old, by default not Ready; `waiting` is the reason for which its containers wait."""
    about = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "5"}
    started = {"running": {"startedAt": stamp(-3600)}}
    state = {"waiting": {"reason": waiting}} if waiting else started
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp(-100)}
    return {
        "metadata": about | (owned(*owner) if owner else {}),
        "spec": {"nodeName": node, "containers": [{"name": c} for c in containers], **spec},
        "status": {"phase": "Running", "conditions": [condition],
                   "containerStatuses": [{"name": c, "state": state} for c in containers]},
    }  # fmt: skip


def node_of(name: str, *, ready: bool = True, why: str = "", since: float = 0, **conditions: str) -> dict[str, Any]:
    found = [{"type": "Ready", "status": "True" if ready else "Unknown", "message": why,
              "lastTransitionTime": stamp(since)}]  # fmt: skip
    found += [{"type": kind, "status": "True", "message": text} for kind, text in conditions.items()]
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"conditions": found}}


def event_of(
    about: tuple[str, str, str], reason: str, message: str, *, count: int = 6, first: float = -100, last: float = -3,
    path: str = "spec.containers{app}",
) -> dict[str, Any]:  # fmt: skip
    """An event about (kind, namespace, name); by default it is 100 s old, and counts six."""
    kind, namespace, name = about
    return {
        "metadata": {"name": f"{name}.{reason}", "namespace": namespace or "default", "uid": f"{name}-{reason}-{message}"},
        "involvedObject": {"kind": kind, "namespace": namespace, "name": name, "uid": f"uid-{name}",
                           "fieldPath": path if kind == "Pod" else ""},
        "reason": reason, "message": message, "count": count, "firstTimestamp": stamp(first),
        "lastTimestamp": stamp(last),
    }  # fmt: skip


def watching(
    pods: Iterable[dict[str, Any]] = (), events: Iterable[dict[str, Any]] = (), nodes: Iterable[dict[str, Any]] = ()
) -> WatchState:
    """A state that has met these objects at second 0."""
    state = WatchState("prod-a")
    state.pods_listed([PODS.one.decode(msgspec.json.encode(p)) for p in pods], at(0))
    state.nodes_listed([NODES.one.decode(msgspec.json.encode(n)) for n in nodes], at(0))
    for one in events:
        meets(state, one)
    return state


def meets(state: WatchState, one: dict[str, Any], second: float = 0) -> None:
    state.event_changed("ADDED", EVENTS.one.decode(msgspec.json.encode(one)), at(second))


def pod_changes(state: WatchState, one: dict[str, Any], second: float = 0, change: str = "MODIFIED") -> None:
    state.pod_changed(change, PODS.one.decode(msgspec.json.encode(one)), at(second))


def node_changes(state: WatchState, one: dict[str, Any], second: float = 0, change: str = "MODIFIED") -> None:
    state.node_changed(change, NODES.one.decode(msgspec.json.encode(one)), at(second))


def reported(state: WatchState, seconds: Iterable[float]) -> list[tuple[float, EventGroupMessage]]:
    return [(second, message) for second in seconds for message in state.step(at(second))]


def parsed(message: EventGroupMessage) -> ParsedAlert:
    """The alert of a message, through its source's parser."""
    body = msgspec.json.encode(message)
    (alert,) = all_sources()["kubernetes"].parser(body, at(10_000), DECLARED).alerts
    return alert


def alerts_of(state: WatchState, second: float = 1) -> list[ParsedAlert]:
    return [parsed(message) for _, message in reported(state, [second])]
