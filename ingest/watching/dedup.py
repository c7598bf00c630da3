"""When events become an alert: folded by workload and probe, with a threshold and a quiet time. Pure.

A fold begins with the first event and is told once that is enough; it ends after silence, when its pods are Ready or
gone. What fails after its deletion was asked for, or in a container's first minute, opens nothing by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from ingest.sources.kubernetes import MOST_MESSAGES, MOST_PODS, Folded, Owner, PodSeen, short, trouble
from ingest.watching.event_rules import PodState, Sighting

# Enough to tell: so many events within the window that lie so far apart, or, for slow probes, two far apart.
WINDOW = timedelta(minutes=2)
ENOUGH, SPREAD = 3, timedelta(seconds=5)
SLOW_ENOUGH, SLOW_SPREAD = 2, timedelta(seconds=30)
QUIET = timedelta(minutes=5)
SILENCE = timedelta(minutes=5)
# A container that does not answer yet in its first minute is starting.
STARTING = timedelta(seconds=60)
# Pods and events come by two watches; judging a moment later sees both.
SETTLE = timedelta(seconds=2)
ALONE = frozenset({"BackOff"})
# The kubelet tells of a long failure only every five minutes.
SPARSE = timedelta(minutes=10)
MOST_MOMENTS = 60
PROBES: dict[str, Literal["", "Readiness", "Liveness", "Startup"]] = {
    "": "", "Readiness": "Readiness", "Liveness": "Liveness", "Startup": "Startup",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """What is folded together within one cluster."""

    namespace: str
    owner: Owner
    trouble: str
    probe: str


@dataclass(frozen=True, slots=True)
class Moment:
    """`count` events of one pod between two times. `alone` opens without others."""

    first: datetime
    last: datetime
    count: int
    pod: str
    pod_uid: str
    container: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """What was seen of one key so far. `told_at` is None until it was told; `news` since then."""

    key: Key
    first: datetime
    last: datetime
    reason: str
    count: int = 0
    moments: tuple[Moment, ...] = ()
    pods: tuple[tuple[str, str], ...] = ()
    messages: tuple[str, ...] = ()
    told_at: datetime | None = None
    news: bool = False
    after_deletion: int = 0
    at_start: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a fold: None when it is over; `told` is firing, resolved, or empty for nothing to tell."""

    fold: Fold | None
    told: str = ""
    ended: datetime | None = None


def key_of(seen: Sighting, pod: PodState | None) -> Key:
    """By the pod's owner; a pod that is not known stands for itself."""
    owner = pod.owner if pod else Owner("Pod", seen.pod)
    return Key(seen.namespace, owner, trouble(seen.reason, seen.probe), seen.probe)


def moment_of(seen: Sighting, known: int, known_last: datetime | None, since: datetime) -> Moment | None:
    """What is new in an event that was known up to `known` counts. Of an event first met now, what is old is left out.

    When it was seen first before `since`, nobody knows how many of its counts came after; then only its last one is
    sure.
    """
    new = seen.count - known
    if new <= 0 or seen.last < since:
        return None
    first = max(known_last, since) if known_last else seen.first
    if new == 1 or first < since:
        first, new = seen.last, 1
    alone = seen.reason in ALONE or seen.by_probe
    return Moment(min(first, seen.last), seen.last, new, seen.pod, seen.pod_uid, seen.container, alone)


def standing(seen: Sighting, pod: PodState | None, now: datetime) -> Moment | None:
    """A failure that began before anybody watched, of a pod that is still not Ready; it counts alone."""
    if seen.count < ENOUGH or seen.last - seen.first < SPREAD or now - seen.last > SPARSE:
        return None
    if seen.reason != "Unhealthy" or not _fails(pod):
        return None
    return Moment(seen.first, seen.last, seen.count, seen.pod, seen.pod_uid, seen.container, alone=True)


def added(fold: Fold | None, key: Key, seen: Sighting, moment: Moment) -> Fold:
    """The fold with one more moment; in a new one everything begins with it."""
    fold = fold or Fold(key, moment.first, moment.last, seen.reason)
    pod = (seen.pod, seen.pod_uid)
    others = tuple(m for m in fold.messages if short(m) != short(seen.message))
    return replace(
        fold,
        first=min(fold.first, moment.first) if fold.told_at is None else fold.first,
        last=max(fold.last, moment.last), count=fold.count + moment.count, news=True,
        reason="Killing" if "Killing" in {fold.reason, seen.reason} else seen.reason,
        moments=(*fold.moments, moment)[-MOST_MOMENTS:],
        pods=fold.pods if pod in fold.pods else (*fold.pods, pod)[: MOST_PODS * 5],
        messages=(*others, seen.message)[-MOST_MESSAGES:],
    )  # fmt: skip


def judged(fold: Fold, pods: Mapping[str, PodState], now: datetime) -> Outcome:
    """What is to be told of this fold now, if anything."""
    fold = _marked(fold, pods)
    if fold.told_at is None:
        return _pending(fold, pods, now)
    if now - fold.last >= SILENCE and not any(_fails(pods.get(uid)) for _, uid in fold.pods):
        return Outcome(None, "resolved", _end(fold, pods))
    if fold.news and now - fold.told_at >= QUIET:
        return Outcome(replace(fold, told_at=now, news=False), "firing")
    return Outcome(replace(fold, moments=_within(fold, now)))


def _pending(fold: Fold, pods: Mapping[str, PodState], now: datetime) -> Outcome:
    recent = _within(fold, now)
    counted = [m for m in recent if not excused(m, pods.get(m.pod_uid)) and m.last <= now - SETTLE]
    if enough(counted):
        first = min(m.first for m in counted)
        return Outcome(replace(fold, first=first, told_at=now, news=False, moments=recent), "firing")
    if not recent:
        return Outcome(None)
    return Outcome(replace(fold, moments=recent, first=min(m.first for m in recent)))


def enough(moments: Iterable[Moment]) -> bool:
    """One that counts alone, or several that are no single slow second."""
    found = list(moments)
    if any(m.alone for m in found):
        return True
    if not found:
        return False
    count = sum(m.count for m in found)
    spread = max(m.last for m in found) - min(m.first for m in found)
    return (count >= ENOUGH and spread >= SPREAD) or (count >= SLOW_ENOUGH and spread >= SLOW_SPREAD)


def excused(moment: Moment, pod: PodState | None) -> bool:
    """Whether it belongs to a deletion or a start, where failing is no news. Being restarted at the start is."""
    if pod is None:
        return False
    return _in_deletion(moment, pod) or (_in_start(moment, pod) and not moment.alone)


def _in_deletion(moment: Moment, pod: PodState) -> bool:
    return pod.deleting_since is not None and moment.last >= pod.deleting_since


def _in_start(moment: Moment, pod: PodState) -> bool:
    started = pod.start_of(moment.container)
    return started is not None and timedelta() <= moment.last - started <= STARTING


def _marked(fold: Fold, pods: Mapping[str, PodState]) -> Fold:
    """With how many of the moments at hand fall into a deletion or a start."""
    known = [(m, pods[m.pod_uid]) for m in fold.moments if m.pod_uid in pods]
    deletion = sum(m.count for m, pod in known if _in_deletion(m, pod))
    start = sum(m.count for m, pod in known if not _in_deletion(m, pod) and _in_start(m, pod))
    return replace(fold, after_deletion=max(fold.after_deletion, deletion), at_start=max(fold.at_start, start))


def _within(fold: Fold, now: datetime) -> tuple[Moment, ...]:
    return tuple(m for m in fold.moments if m.last >= now - (SPARSE if m.alone else WINDOW))


def _fails(pod: PodState | None) -> bool:
    """A pod that is there, is meant to stay, and is not Ready."""
    return pod is not None and pod.gone_at is None and pod.deleting_since is None and not pod.ready


def _end(fold: Fold, pods: Mapping[str, PodState]) -> datetime:
    """The last event, or when the last of its pods became Ready after it."""
    found = [pods[uid].ready_since for _, uid in fold.pods if uid in pods and pods[uid].ready]
    return max([fold.last, *(at for at in found if at)])


def message(cluster: str, fold: Fold, outcome: Outcome, pods: Mapping[str, PodState]) -> Folded:
    """The fold as it is told."""
    names = list(dict.fromkeys(fold.pods))
    seen = [PodSeen(name, pods[uid].node if uid in pods else "") for name, uid in names[:MOST_PODS]]
    return Folded(
        version=1, state="resolved" if outcome.told == "resolved" else "firing", cluster=cluster,
        namespace=fold.key.namespace, workload=fold.key.owner, reason=fold.reason, probe=PROBES[fold.key.probe],
        first=fold.first, last=fold.last, pods=seen, more_pods=max(0, len(names) - MOST_PODS),
        messages=list(fold.messages), count=fold.count, after_deletion=fold.after_deletion, at_start=fold.at_start,
        ended=outcome.ended,
    )  # fmt: skip
