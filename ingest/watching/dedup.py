"""When events become an alert: grouped by workload and probe, with a threshold and a repeat interval. Pure.

A group begins with the first event and is reported once the threshold is reached. It ends after a time without events,
when its pods are Ready or gone. Failures after a requested deletion, or in a container's first minute, open nothing by
themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from ingest.sources.kubernetes import MOST_MESSAGES, MOST_PODS, EventGroupMessage, Owner, PodSeen, failure_kind, short
from ingest.watching.event_rules import PodEvent, PodState

# The threshold: THRESHOLD events within WINDOW over at least SPREAD, or the slow ones, for probes with a long period.
WINDOW = timedelta(minutes=2)
THRESHOLD, SPREAD = 3, timedelta(seconds=5)
SLOW_THRESHOLD, SLOW_SPREAD = 2, timedelta(seconds=30)
REPEAT_INTERVAL = timedelta(minutes=5)
RESOLVE_AFTER = timedelta(minutes=5)
# A container that does not answer yet in its first minute is starting.
STARTING = timedelta(seconds=60)
# Pods and events come by two watches; judging a moment later sees both.
GROUP_WAIT = timedelta(seconds=2)
ALONE = frozenset({"BackOff"})
# The kubelet reports a long failure only every five minutes.
SPARSE = timedelta(minutes=10)
MOST_OCCURRENCES = 60
PROBES: dict[str, Literal["", "Readiness", "Liveness", "Startup"]] = {
    "": "", "Readiness": "Readiness", "Liveness": "Liveness", "Startup": "Startup",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What is grouped together within one cluster."""

    namespace: str
    owner: Owner
    failure: str
    probe: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """`count` events of one pod between two times. `alone` opens without others."""

    first: datetime
    last: datetime
    count: int
    pod: str
    pod_uid: str
    container: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class EventGroup:
    """What was seen of one key so far.

    `reported_at` is None until it was reported; `has_unreported` is whether anything came since then.
    """

    key: GroupKey
    first: datetime
    last: datetime
    reason: str
    count: int = 0
    occurrences: tuple[Occurrence, ...] = ()
    pods: tuple[tuple[str, str], ...] = ()
    messages: tuple[str, ...] = ()
    reported_at: datetime | None = None
    has_unreported: bool = False
    after_deletion: int = 0
    at_start: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a group: None when it is over. `report` is firing, resolved, or empty for nothing to report."""

    group: EventGroup | None
    report: str = ""
    ended: datetime | None = None


def key_of(event: PodEvent, pod: PodState | None) -> GroupKey:
    """The group of an event: by the pod's owner, or by the pod itself if it is not known."""
    owner = pod.owner if pod else Owner("Pod", event.pod)
    return GroupKey(event.namespace, owner, failure_kind(event.reason, event.probe), event.probe)


def occurrence_of(event: PodEvent, known: int, known_last: datetime | None, since: datetime) -> Occurrence | None:
    """What is new in an event that was known up to `known` counts. Of an event first met now, what is old is left out.

    When it was seen first before `since`, nobody knows how many of its counts came after; then only its last one is
    sure.
    """
    new = event.count - known
    if new <= 0 or event.last < since:
        return None
    first = max(known_last, since) if known_last else event.first
    if new == 1 or first < since:
        first, new = event.last, 1
    alone = event.reason in ALONE or event.by_probe
    return Occurrence(min(first, event.last), event.last, new, event.pod, event.pod_uid, event.container, alone)


def already_failing(event: PodEvent, pod: PodState | None, now: datetime) -> Occurrence | None:
    """A failure that began before anybody watched, of a pod that is still not Ready; it counts alone."""
    if event.count < THRESHOLD or event.last - event.first < SPREAD or now - event.last > SPARSE:
        return None
    if event.reason != "Unhealthy" or not _fails(pod):
        return None
    return Occurrence(event.first, event.last, event.count, event.pod, event.pod_uid, event.container, alone=True)


def with_occurrence(group: EventGroup | None, key: GroupKey, event: PodEvent, occurrence: Occurrence) -> EventGroup:
    """The group with one more occurrence; a new group begins with it."""
    group = group or EventGroup(key, occurrence.first, occurrence.last, event.reason)
    pod = (event.pod, event.pod_uid)
    others = tuple(m for m in group.messages if short(m) != short(event.message))
    return replace(
        group,
        first=min(group.first, occurrence.first) if group.reported_at is None else group.first,
        last=max(group.last, occurrence.last), count=group.count + occurrence.count, has_unreported=True,
        reason="Killing" if "Killing" in {group.reason, event.reason} else event.reason,
        occurrences=(*group.occurrences, occurrence)[-MOST_OCCURRENCES:],
        pods=group.pods if pod in group.pods else (*group.pods, pod)[: MOST_PODS * 5],
        messages=(*others, event.message)[-MOST_MESSAGES:],
    )  # fmt: skip


def decide(group: EventGroup, pods: Mapping[str, PodState], now: datetime) -> Decision:
    """What is to be reported of this group now, if anything."""
    group = _marked(group, pods)
    if group.reported_at is None:
        return _pending(group, pods, now)
    if now - group.last >= RESOLVE_AFTER and not any(_fails(pods.get(uid)) for _, uid in group.pods):
        return Decision(None, "resolved", _end(group, pods))
    if group.has_unreported and now - group.reported_at >= REPEAT_INTERVAL:
        return Decision(replace(group, reported_at=now, has_unreported=False), "firing")
    return Decision(replace(group, occurrences=_within(group, now)))


def _pending(group: EventGroup, pods: Mapping[str, PodState], now: datetime) -> Decision:
    recent = _within(group, now)
    counted = [m for m in recent if not is_expected(m, pods.get(m.pod_uid)) and m.last <= now - GROUP_WAIT]
    if over_threshold(counted):
        first = min(m.first for m in counted)
        reported = replace(group, first=first, reported_at=now, has_unreported=False, occurrences=recent)
        return Decision(reported, "firing")
    if not recent:
        return Decision(None)
    return Decision(replace(group, occurrences=recent, first=min(m.first for m in recent)))


def over_threshold(occurrences: Iterable[Occurrence]) -> bool:
    """Whether one occurrence counts alone, or enough events are spread over enough time."""
    found = list(occurrences)
    if any(m.alone for m in found):
        return True
    if not found:
        return False
    count = sum(m.count for m in found)
    spread = max(m.last for m in found) - min(m.first for m in found)
    return (count >= THRESHOLD and spread >= SPREAD) or (count >= SLOW_THRESHOLD and spread >= SLOW_SPREAD)


def is_expected(occurrence: Occurrence, pod: PodState | None) -> bool:
    """Whether it belongs to a deletion or a start, where failures are expected. A restart at the start is not."""
    if pod is None:
        return False
    return _in_deletion(occurrence, pod) or (_in_start(occurrence, pod) and not occurrence.alone)


def _in_deletion(occurrence: Occurrence, pod: PodState) -> bool:
    return pod.deleting_since is not None and occurrence.last >= pod.deleting_since


def _in_start(occurrence: Occurrence, pod: PodState) -> bool:
    started = pod.start_of(occurrence.container)
    return started is not None and timedelta() <= occurrence.last - started <= STARTING


def _marked(group: EventGroup, pods: Mapping[str, PodState]) -> EventGroup:
    """With the number of occurrences that fall into a deletion or a start."""
    known = [(m, pods[m.pod_uid]) for m in group.occurrences if m.pod_uid in pods]
    deletion = sum(m.count for m, pod in known if _in_deletion(m, pod))
    start = sum(m.count for m, pod in known if not _in_deletion(m, pod) and _in_start(m, pod))
    return replace(group, after_deletion=max(group.after_deletion, deletion), at_start=max(group.at_start, start))


def _within(group: EventGroup, now: datetime) -> tuple[Occurrence, ...]:
    return tuple(m for m in group.occurrences if m.last >= now - (SPARSE if m.alone else WINDOW))


def _fails(pod: PodState | None) -> bool:
    """A pod that is there, is meant to stay, and is not Ready."""
    return pod is not None and pod.gone_at is None and pod.deleting_since is None and not pod.ready


def _end(group: EventGroup, pods: Mapping[str, PodState]) -> datetime:
    """The last event, or when the last of its pods became Ready after it."""
    found = [pods[uid].ready_since for _, uid in group.pods if uid in pods and pods[uid].ready]
    return max([group.last, *(at for at in found if at)])


def message(cluster: str, group: EventGroup, decision: Decision, pods: Mapping[str, PodState]) -> EventGroupMessage:
    """The message that reports the group."""
    names = list(dict.fromkeys(group.pods))
    event = [PodSeen(name, pods[uid].node if uid in pods else "") for name, uid in names[:MOST_PODS]]
    return EventGroupMessage(
        version=1, state="resolved" if decision.report == "resolved" else "firing", cluster=cluster,
        namespace=group.key.namespace, workload=group.key.owner, reason=group.reason, probe=PROBES[group.key.probe],
        first=group.first, last=group.last, pods=event, more_pods=max(0, len(names) - MOST_PODS),
        messages=list(group.messages), count=group.count, after_deletion=group.after_deletion, at_start=group.at_start,
        ended=decision.ended,
    )  # fmt: skip
