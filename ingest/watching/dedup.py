"""When events become an alert: grouped by workload and kind of failure, with a threshold and a repeat interval. Pure.

A group begins with the first event and is reported once the threshold of its rule is reached. It ends after a time
without events, when its rule no longer holds it open: its pods are Ready or gone, its node is Ready. Failures after a
requested deletion, or of a probe in a container's first minute, open nothing by themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from ingest.events.kinds import short
from ingest.events.message import MOST_MESSAGES, MOST_PODS, NODE, ContainerSeen, EventGroupMessage, Owner, PodSeen
from ingest.watching.event_rules import PodEvent, PodState, container_of
from ingest.watching.rules import Seen, not_ready, rule_of

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
# The kubelet reports a long failure only every five minutes.
SPARSE = timedelta(minutes=10)
# The API server keeps events so long; the scheduler repeats its own only now and then.
KEPT = timedelta(hours=1)
MOST_OCCURRENCES = 60
MOST_CONTAINERS = 10
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
    containers: tuple[ContainerSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a group: None when it is over. `report` is firing, resolved, or empty for nothing to report."""

    group: EventGroup | None
    report: str = ""
    ended: datetime | None = None


def key_of(event: PodEvent, pod: PodState | None) -> GroupKey | None:
    """The group of an event: by what it is about, the pod's owner, or the pod itself if it is not known.

    That its node is not ready is an event of each of its pods, and belongs to the node; None when that is not known.
    """
    if rule_of(event.failure).of_node:
        node = event.about or (Owner(NODE, pod.node) if pod and pod.node else None)
        return GroupKey("", node, event.failure, "") if node else None
    owner = event.about or (pod.owner if pod else Owner("Pod", event.pod))
    return GroupKey(event.namespace, owner, event.failure, event.probe)


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
    alone = rule_of(event.failure).alone or event.by_probe
    return Occurrence(min(first, event.last), event.last, new, event.pod, event.pod_uid, event.container, alone)


def already_failing(event: PodEvent, key: GroupKey, seen: Seen, now: datetime) -> Occurrence | None:
    """A failure that began before anybody watched, and that is still there."""
    found = Occurrence(event.first, event.last, event.count, event.pod, event.pod_uid, event.container)
    if rule_of(key.failure).lasts:
        return found if now - event.last <= KEPT and _fails(key, seen, found.pod_uid) else None
    if event.count < THRESHOLD or event.last - event.first < SPREAD or now - event.last > SPARSE:
        return None
    if event.reason != "Unhealthy" or not not_ready(seen, event.pod_uid):
        return None
    return replace(found, alone=True)


def with_occurrence(
    group: EventGroup | None, key: GroupKey, event: PodEvent, occurrence: Occurrence, pod: PodState | None
) -> EventGroup:
    """The group with one more occurrence; a new group begins with it. `pod` is the event's, if it is known."""
    group = group or EventGroup(key, occurrence.first, occurrence.last, event.reason)
    container = container_of(event, pod)
    others = tuple(m for m in group.messages if short(m) != short(event.message))
    return replace(
        group,
        first=min(group.first, occurrence.first) if group.reported_at is None else group.first,
        last=max(group.last, occurrence.last), count=group.count + occurrence.count, has_unreported=True,
        reason="Killing" if "Killing" in {group.reason, event.reason} else event.reason,
        occurrences=(*group.occurrences, occurrence)[-MOST_OCCURRENCES:],
        pods=_with_pod(group, event),
        messages=(*others, event.message)[-MOST_MESSAGES:],
        containers=tuple(dict.fromkeys((*group.containers, *([container] if container else ()))))[:MOST_CONTAINERS],
    )  # fmt: skip


def _with_pod(group: EventGroup, event: PodEvent) -> tuple[tuple[str, str], ...]:
    """The group's pods with that of the event; a node's group has none."""
    pod = (event.pod, event.pod_uid)
    if not event.pod or pod in group.pods or rule_of(group.key.failure).of_node:
        return group.pods
    return (*group.pods, pod)[: MOST_PODS * 5]


def decide(group: EventGroup, seen: Seen, now: datetime) -> Decision:
    """What is to be reported of this group now, if anything."""
    group = _marked(group, seen)
    if group.reported_at is None:
        return _pending(group, seen, now)
    if now - group.last >= (rule_of(group.key.failure).quiet or RESOLVE_AFTER) and _is_over(group, seen):
        return Decision(None, "resolved", _end(group, seen))
    if group.has_unreported and now - group.reported_at >= REPEAT_INTERVAL:
        return Decision(replace(group, reported_at=now, has_unreported=False), "firing")
    return Decision(replace(group, occurrences=_within(group, seen, now)))


def _is_over(group: EventGroup, seen: Seen) -> bool:
    """Whether nothing of it fails any more; before a list of its objects came in, nobody knows."""
    listed = seen.nodes_listed if rule_of(group.key.failure).of_node else seen.pods_listed
    uids = [uid for _, uid in group.pods] or [""]
    return listed and not any(_fails(group.key, seen, uid) for uid in uids)


def _fails(key: GroupKey, seen: Seen, uid: str) -> bool:
    rule = rule_of(key.failure)
    return rule.fails(seen, key.owner.name if rule.of_node else uid)


def _pending(group: EventGroup, seen: Seen, now: datetime) -> Decision:
    recent = _within(group, seen, now)
    counted = [m for m in recent if not is_expected(m, group.key, seen) and m.last <= now - GROUP_WAIT]
    if opens(counted, group.key, seen, now):
        first = min(m.first for m in counted)
        reported = replace(group, first=first, reported_at=now, has_unreported=False, occurrences=recent)
        return Decision(reported, "firing")
    if not recent:
        return Decision(None)
    return Decision(replace(group, occurrences=recent, first=min(m.first for m in recent)))


def opens(occurrences: Iterable[Occurrence], key: GroupKey, seen: Seen, now: datetime) -> bool:
    """Whether a failure lasts, or there were enough events where its rule counts them."""
    found, rule = list(occurrences), rule_of(key.failure)
    lasts = rule.lasts
    if lasts and any(now - m.first >= lasts and _fails(key, seen, m.pod_uid) for m in found):
        return True
    return rule.several and over_threshold(found)


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


def is_expected(occurrence: Occurrence, key: GroupKey, seen: Seen) -> bool:
    """Whether it belongs to a deletion or a start, where failures are expected. A restart at the start is not."""
    pod = seen.pods.get(occurrence.pod_uid)
    if pod is None:
        return False
    rule = rule_of(key.failure)
    in_deletion = _in_deletion(occurrence, pod) and not rule.in_deletion
    return in_deletion or (_in_start(occurrence, pod) and not rule.in_start and not occurrence.alone)


def _in_deletion(occurrence: Occurrence, pod: PodState) -> bool:
    return pod.deleting_since is not None and occurrence.last >= pod.deleting_since


def _in_start(occurrence: Occurrence, pod: PodState) -> bool:
    started = pod.start_of(occurrence.container)
    return started is not None and timedelta() <= occurrence.last - started <= STARTING


def _marked(group: EventGroup, seen: Seen) -> EventGroup:
    """With the number of occurrences that fall into a deletion or a start."""
    known = [(m, seen.pods[m.pod_uid]) for m in group.occurrences if m.pod_uid in seen.pods]
    deletion = sum(m.count for m, pod in known if _in_deletion(m, pod))
    start = sum(m.count for m, pod in known if not _in_deletion(m, pod) and _in_start(m, pod))
    return replace(group, after_deletion=max(group.after_deletion, deletion), at_start=max(group.at_start, start))


def _within(group: EventGroup, seen: Seen, now: datetime) -> tuple[Occurrence, ...]:
    """The occurrences that still count: recent ones, and those whose failure lasts."""
    lasts = rule_of(group.key.failure).lasts
    return tuple(
        m for m in group.occurrences
        if m.last >= now - (SPARSE if m.alone else WINDOW) or (lasts and _fails(group.key, seen, m.pod_uid))
    )  # fmt: skip


def _end(group: EventGroup, seen: Seen) -> datetime:
    """The last event, or when the last of its pods, or its node, became Ready after it."""
    pods = [seen.pods[uid] for _, uid in group.pods if uid in seen.pods]
    found = [pod.ready_since for pod in pods if pod.ready]
    node = seen.nodes.get(group.key.owner.name) if rule_of(group.key.failure).of_node else None
    if node and node.ready:
        found.append(node.since)
    return max([group.last, *(at for at in found if at)])


def message(cluster: str, group: EventGroup, decision: Decision, seen: Seen) -> EventGroupMessage:
    """The message that reports the group."""
    names = list(dict.fromkeys(group.pods))
    event = [PodSeen(name, seen.pods[uid].node if uid in seen.pods else "") for name, uid in names[:MOST_PODS]]
    return EventGroupMessage(
        version=1, state="resolved" if decision.report == "resolved" else "firing", cluster=cluster,
        namespace=group.key.namespace, workload=group.key.owner, reason=group.reason, probe=PROBES[group.key.probe],
        first=group.first, last=group.last, pods=event, more_pods=max(0, len(names) - MOST_PODS),
        messages=_messages(group, seen), count=group.count, after_deletion=group.after_deletion,
        at_start=group.at_start, ended=decision.ended, failure=group.key.failure, containers=list(group.containers),
    )  # fmt: skip


def _messages(group: EventGroup, seen: Seen) -> list[str]:
    """Of the events; of a node its own words at last, which say more than the event."""
    node = seen.nodes.get(group.key.owner.name) if rule_of(group.key.failure).of_node else None
    own = [node.why] if node and node.why and _fails(group.key, seen, "") else []
    return [*group.messages, *own][-MOST_MESSAGES:]
