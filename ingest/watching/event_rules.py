"""The parts of an event, of a pod and of a node that the watcher keeps, made from the API's objects. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.redaction import redacted
from evidence.clients.kubernetes_watch import ContainerStatus, Meta, SeenEvent, SeenNode, SeenPod
from evidence.kubelet_messages import PREFIX
from ingest.events.kinds import NODE_FAILURES, failure_kind
from ingest.events.message import CONTAINER, INIT, MESSAGE_CUT, NODE, ContainerSeen, Owner
from ingest.watching.owners import made_by, owner_of

# Events of these reasons are grouped; all others are reported by other systems, or are no failures.
REASONS = frozenset({
    "Unhealthy", "ProbeWarning", "Killing", "BackOff", "Failed", "InspectFailed", "ErrImageNeverPull", "FailedMount",
    "FailedAttachVolume", "FailedCreatePodSandBox", "FailedPostStartHook", "FailedPreStopHook", "FailedKillPod",
    "Evicted", "FailedScheduling", "NodeNotReady",
})  # fmt: skip
# Of the controllers that make pods.
OWNER_REASONS = frozenset({"FailedCreate"})
COMBINED = "(combined from similar events): "
BY_PROBE = re.compile(r"failed (liveness|startup) probe")
# The query of a probe's address may hold a key.
QUERY = re.compile(r"(\b[Gg]et \"[^\"?\s]*|\bhttps?://[^\"?\s]*)\?[^\"\s]*")
CONTAINER_NAME = re.compile(r"\{([^{}]+)\}$")
INIT_PATH = "spec.initContainers{"
ENDED = {"Succeeded", "Failed"}


@dataclass(frozen=True, slots=True)
class PodEvent:
    """The current state of one event; it repeats by counting up. Times are aware UTC.

    `about` is what the event is about where that is no pod: a node, or the workload whose pods cannot be made.
    """

    uid: str
    namespace: str
    pod: str
    pod_uid: str
    container: str
    reason: str
    probe: str
    message: str
    count: int
    first: datetime
    last: datetime
    init: bool = False
    about: Owner | None = None

    @property
    def failure(self) -> str:
        """What it is grouped by."""
        return failure_kind(self.reason, self.probe, self.message)

    @property
    def by_probe(self) -> bool:
        """A container that is killed because of its probe, not because somebody wants it to stop."""
        return self.reason == "Killing" and bool(self.probe)


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod. `deleting_since` is when its deletion was asked for; `started` are the starts of its running containers.

    `gone_at` is set once the API does not have it any more, or it has ended. `containers` are those that go on running,
    sidecars among them. `waiting` are the reasons for which containers wait.
    """

    uid: str
    namespace: str
    name: str
    node: str
    owner: Owner
    ready: bool
    ready_since: datetime | None = None
    deleting_since: datetime | None = None
    started: tuple[tuple[str, datetime], ...] = ()
    gone_at: datetime | None = None
    containers: tuple[str, ...] = ()
    ended: bool = False
    waiting: tuple[str, ...] = ()

    @property
    def stays(self) -> bool:
        """Whether it is there and is meant to stay."""
        return self.gone_at is None and self.deleting_since is None and not self.ended

    def start_of(self, container: str) -> datetime | None:
        """When that container, or the only one, was started."""
        known = dict(self.started)
        return known.get(container) or (next(iter(known.values())) if len(known) == 1 else None)


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node. `pressures` are its conditions that are true beside Ready, `why` is what it says of Ready or of them."""

    name: str
    ready: bool
    since: datetime | None = None
    pressures: frozenset[str] = frozenset()
    why: str = ""


def pod_event(event: SeenEvent, now: datetime) -> PodEvent | None:
    """The event, if it is of a reason that is followed, and of a pod, a node, or what makes pods."""
    about, reason = event.involvedObject, event.reason or ""
    if not about.name or not _followed(about.kind, reason):
        return None
    last = _last(event, now)
    text = (event.message or "").removeprefix(COMBINED)[:MESSAGE_CUT]
    container = CONTAINER_NAME.search(about.fieldPath)
    pod = about.kind == "Pod"
    return PodEvent(
        uid=event.metadata.uid, namespace="" if about.kind == NODE else about.namespace,
        pod=about.name if pod else "", pod_uid=about.uid if pod else "",
        container=container[1] if container else "", reason=reason, probe=_probe(reason, text),
        message=_safe(text), count=max(1, event.count or (event.series.count if event.series else 1)),
        first=min(event.firstTimestamp or event.eventTime or last, last), last=last,
        init=about.fieldPath.startswith(INIT_PATH), about=None if pod else made_by(about.kind, about.name, {}),
    )  # fmt: skip


def _followed(kind: str, reason: str) -> bool:
    if kind == "Pod":
        return reason in REASONS
    return reason in (NODE_FAILURES if kind == NODE else OWNER_REASONS)


def container_of(event: PodEvent, pod: PodState | None) -> ContainerSeen | None:
    """The container of an event, if it names one; an init container that goes on running is one like the others."""
    if not event.container:
        return None
    sidecar = pod is not None and event.container in pod.containers
    init = event.init and not sidecar
    only = not init and (pod is None or len(pod.containers) <= 1)
    return ContainerSeen(event.container, INIT if init else CONTAINER, only)


def _last(event: SeenEvent, now: datetime) -> datetime:
    series = event.series.lastObservedTime if event.series else None
    return event.lastTimestamp or series or event.eventTime or event.metadata.creationTimestamp or now


def _probe(reason: str, text: str) -> str:
    found = BY_PROBE.search(text) if reason == "Killing" else None
    if reason in {"Unhealthy", "ProbeWarning"}:
        found = PREFIX.match(text)
    return found[1].capitalize() if found else ""


def _safe(text: str) -> str:
    """Without what may be a secret by its shape, and bounded."""
    return redacted(QUERY.sub(r"\1", text))[:MESSAGE_CUT]


def pod_state(pod: SeenPod, gone_at: datetime | None = None) -> PodState:
    """The pod; one that has ended will never be Ready again and counts as gone."""
    about, status = pod.metadata, pod.status
    ready = next((c for c in status.conditions or () if c.type == "Ready"), None)
    ready_since = ready.lastTransitionTime if ready is not None else None
    if status.phase in ENDED and gone_at is None:
        gone_at = ready_since
    return PodState(
        uid=about.uid, namespace=about.namespace, name=about.name, node=pod.spec.nodeName or "", owner=owner_of(about),
        ready=ready is not None and ready.status == "True", ready_since=ready_since,
        deleting_since=_deletion(about) or gone_at, started=_starts(pod), gone_at=gone_at,
        containers=_containers(pod), ended=status.phase in ENDED, waiting=_waiting(pod),
    )  # fmt: skip


def _containers(pod: SeenPod) -> tuple[str, ...]:
    """Those that go on running; an init container that is always restarted is a sidecar."""
    sidecars = [c.name for c in pod.spec.initContainers or () if c.restartPolicy == "Always"]
    return (*sidecars, *(c.name for c in pod.spec.containers or ()))


def _statuses(pod: SeenPod) -> list[ContainerStatus]:
    return [*(pod.status.initContainerStatuses or ()), *(pod.status.containerStatuses or ())]


def _waiting(pod: SeenPod) -> tuple[str, ...]:
    """The reasons for which containers wait, in order."""
    waits = [status.state.waiting for status in _statuses(pod) if status.state and status.state.waiting]
    return tuple(wait.reason or "" for wait in waits)


def _starts(pod: SeenPod) -> tuple[tuple[str, datetime], ...]:
    """Name and start of each running container."""
    starts = []
    for container in _statuses(pod):
        running = container.state.running if container.state else None
        if running and running.startedAt:
            starts.append((container.name, running.startedAt))
    return tuple(starts)


def _deletion(about: Meta) -> datetime | None:
    """When it was asked for: the API writes the time at which the grace period will be over."""
    if about.deletionTimestamp is None:
        return None
    return about.deletionTimestamp - timedelta(seconds=about.deletionGracePeriodSeconds or 0)


def node_state(node: SeenNode) -> NodeState:
    """The node with its conditions."""
    conditions = node.status.conditions or ()
    ready = next((c for c in conditions if c.type == "Ready"), None)
    pressures = [c for c in conditions if c.type != "Ready" and c.status == "True"]
    well = ready is not None and ready.status == "True"
    why = [c.message or "" for c in pressures] if well else [ready.message or ""] if ready else []
    return NodeState(
        node.metadata.name, well, ready.lastTransitionTime if ready else None, frozenset(c.type for c in pressures),
        _safe("; ".join(why)),
    )  # fmt: skip


def gone(pods: Iterable[PodState], now: datetime) -> list[PodState]:
    """The same pods as no longer there."""
    return [replace(p, gone_at=p.gone_at or now, deleting_since=p.deleting_since or now) for p in pods]
