"""Everything that is known of one cluster: pods, events counted so far, and the folds. Never asks the clock."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import structlog

from evidence.clients.kubernetes_watch import SeenEvent, SeenPod
from ingest.sources.kubernetes import Folded
from ingest.watching import dedup
from ingest.watching.dedup import Fold, Key, Moment
from ingest.watching.event_rules import PodState, Sighting, departed, pod_state, sighting

# Events of a pod come a little after it is gone.
KEPT_GONE = timedelta(minutes=10)
MOST_FOLDS = 500
MOST_KNOWN = 100_000
log = structlog.get_logger()


class Ledger:
    """Takes objects as they come, also twice and after a new list, and says what is to be told."""

    def __init__(self, cluster: str, kept: bytes = b"[]") -> None:
        self.cluster = cluster
        self._pods: dict[str, PodState] = {}
        self._stopping: dict[str, datetime] = {}
        self._known: dict[str, tuple[int, datetime]] = {}
        self._folds: dict[Key, Fold] = {f.key: f for f in msgspec.json.decode(kept, type=list[Fold])}

    def kept(self) -> bytes:
        """The folds that were told, for whoever goes on after this process."""
        told = [replace(f, moments=()) for f in self._folds.values() if f.told_at is not None]
        return msgspec.json.encode(told)

    def pods_listed(self, pods: Iterable[SeenPod], now: datetime) -> None:
        """A new list: what is not in it is gone."""
        there = {state.uid: state for state in map(pod_state, pods)}
        lost = [p for uid, p in self._pods.items() if uid not in there]
        self._pods = {p.uid: p for p in departed(lost, now)}
        for state in there.values():
            self._put(state)

    def pod_changed(self, change: str, pod: SeenPod, now: datetime) -> None:
        """ADDED, MODIFIED or DELETED."""
        self._put(pod_state(pod, gone_at=now if change == "DELETED" else None))

    def _put(self, state: PodState) -> None:
        stopped = self._stopping.get(state.uid)
        known = min((at for at in (state.deleting_since, stopped) if at), default=None)
        self._pods[state.uid] = replace(state, deleting_since=known)

    def events_listed(self, events: Iterable[SeenEvent], now: datetime) -> None:
        """A new list: what was counted before is not counted again."""
        seen = [s for s in (sighting(event, now) for event in events) if s]
        there = {s.uid for s in seen}
        self._known = {uid: known for uid, known in self._known.items() if uid in there}
        for one in sorted(seen, key=lambda s: (s.last, s.uid)):
            self._take(one, now)

    def event_changed(self, change: str, event: SeenEvent, now: datetime) -> None:
        """ADDED and MODIFIED count; DELETED only says that it was forgotten."""
        if change == "DELETED":
            self._known.pop(event.metadata.uid, None)
        elif one := sighting(event, now):
            self._take(one, now)

    def _take(self, seen: Sighting, now: datetime) -> None:
        known, known_last = self._known.get(seen.uid, (0, None))
        if len(self._known) < MOST_KNOWN or known:
            self._known[seen.uid] = (max(known, seen.count), seen.last)
        if seen.reason == "Killing" and not seen.by_probe:
            self._stops(seen)
            return
        first_met = known_last is None
        stands = dedup.standing(seen, self._pods.get(seen.pod_uid), now) if first_met else None
        moment = stands or dedup.moment_of(seen, known, known_last, now - dedup.WINDOW)
        if moment is not None:
            self._fold(seen, moment, first_met=first_met)

    def _stops(self, seen: Sighting) -> None:
        """Somebody wants the pod to stop: the kubelet says so before its readiness fails."""
        if seen.message.startswith("Stopping container") and seen.pod_uid not in self._stopping:
            self._stopping[seen.pod_uid] = seen.first
            if state := self._pods.get(seen.pod_uid):
                self._put(state)

    def _fold(self, seen: Sighting, moment: Moment, *, first_met: bool) -> None:
        key = dedup.key_of(seen, self._pods.get(seen.pod_uid))
        fold = self._folds.get(key)
        if fold is not None and fold.told_at is not None and first_met:
            # Another process may have counted it: what it told reaches as far as the fold's last time.
            if moment.last <= fold.last:
                return
            moment = moment if moment.first > fold.last else replace(moment, first=moment.last, count=1)
        if fold is None and len(self._folds) >= MOST_FOLDS:
            log.warning("watcher_full", cluster=self.cluster, folds=MOST_FOLDS)
            return
        self._folds[key] = dedup.added(fold, key, seen, moment)

    def step(self, now: datetime) -> list[Folded]:
        """What is to be told now, in the order of its beginning."""
        told: list[Folded] = []
        for fold in sorted(self._folds.values(), key=lambda f: (f.first, str(f.key))):
            outcome = dedup.judged(fold, self._pods, now)
            if outcome.told:
                told.append(dedup.message(self.cluster, outcome.fold or fold, outcome, self._pods))
            if outcome.fold is None:
                del self._folds[fold.key]
            else:
                self._folds[fold.key] = outcome.fold
        self._forget(now)
        return told

    def _forget(self, now: datetime) -> None:
        old = [uid for uid, pod in self._pods.items() if pod.gone_at and now - pod.gone_at > KEPT_GONE]
        for uid in old:
            del self._pods[uid]
        self._stopping = {uid: at for uid, at in self._stopping.items() if uid in self._pods or now - at < KEPT_GONE}
