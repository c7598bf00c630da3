"""The parts of an event and of a pod that the watcher keeps, made from the API's objects. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.redaction import redacted
from evidence.clients.kubernetes_watch import Meta, SeenEvent, SeenPod
from evidence.kubelet_messages import PREFIX
from ingest.sources.kubernetes import MESSAGE_CUT, Owner

# Events of these reasons are grouped; all others are reported by other systems, or are no failures.
REASONS = frozenset({
    "Unhealthy", "ProbeWarning", "Killing", "BackOff", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox",
    "FailedPostStartHook", "FailedPreStopHook",
})  # fmt: skip
COMBINED = "(combined from similar events): "
BY_PROBE = re.compile(r"failed (liveness|startup) probe")
# The query of a probe's address may hold a key.
QUERY = re.compile(r"(\b[Gg]et \"[^\"?\s]*|\bhttps?://[^\"?\s]*)\?[^\"\s]*")
CONTAINER = re.compile(r"\{([^{}]+)\}$")
# Labels by which the controllers mark the pods of a replica set with the hash that is in its name.
HASHES = ("pod-template-hash", "rollouts-pod-template-hash")
ENDED = {"Succeeded", "Failed"}


@dataclass(frozen=True, slots=True)
class PodEvent:
    """The current state of one event; it repeats by counting up. Times are aware UTC."""

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

    @property
    def by_probe(self) -> bool:
        """A container that is killed because of its probe, not because somebody wants it to stop."""
        return self.reason == "Killing" and bool(self.probe)


@dataclass(frozen=True, slots=True)
class PodState:
    """A pod. `deleting_since` is when its deletion was asked for; `started` are the starts of its running containers.

    `gone_at` is set once the API does not have it any more, or it has ended.
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

    def start_of(self, container: str) -> datetime | None:
        """When that container, or the only one, was started."""
        known = dict(self.started)
        return known.get(container) or (next(iter(known.values())) if len(known) == 1 else None)


def pod_event(event: SeenEvent, now: datetime) -> PodEvent | None:
    """The event, if it is of a pod and of a reason that is followed."""
    about, reason = event.involvedObject, event.reason or ""
    if about.kind != "Pod" or reason not in REASONS or not about.name:
        return None
    last = _last(event, now)
    text = (event.message or "").removeprefix(COMBINED)[:2000]
    container = CONTAINER.search(about.fieldPath)
    return PodEvent(
        uid=event.metadata.uid, namespace=about.namespace, pod=about.name, pod_uid=about.uid,
        container=container[1] if container else "", reason=reason, probe=_probe(reason, text),
        message=_safe(text), count=max(1, event.count or (event.series.count if event.series else 1)),
        first=min(event.firstTimestamp or event.eventTime or last, last), last=last,
    )  # fmt: skip


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
    )  # fmt: skip


def _starts(pod: SeenPod) -> tuple[tuple[str, datetime], ...]:
    """Name and start of each running container."""
    starts = []
    for container in pod.status.containerStatuses or ():
        running = container.state.running if container.state else None
        if running and running.startedAt:
            starts.append((container.name, running.startedAt))
    return tuple(starts)


def _deletion(about: Meta) -> datetime | None:
    """When it was asked for: the API writes the time at which the grace period will be over."""
    if about.deletionTimestamp is None:
        return None
    return about.deletionTimestamp - timedelta(seconds=about.deletionGracePeriodSeconds or 0)


def owner_of(about: Meta) -> Owner:
    """The workload by owner reference; a replica set that its hash label marks is its Deployment's."""
    owners = about.ownerReferences or ()
    found = next((o for o in owners if o.controller), None)
    if found is None:
        return Owner("Pod", about.name)
    if found.kind == "ReplicaSet":
        labels = about.labels or {}
        for ending in (f"-{labels[label]}" for label in HASHES if labels.get(label)):
            if found.name.endswith(ending) and found.name != ending:
                return Owner("Deployment", found.name.removesuffix(ending))
    return Owner(found.kind, found.name)


def gone(pods: Iterable[PodState], now: datetime) -> list[PodState]:
    """The same pods as no longer there."""
    return [replace(p, gone_at=p.gone_at or now, deleting_since=p.deleting_since or now) for p in pods]
