"""The state of one watched cluster: pods, nodes, events counted so far, event groups. It never reads the clock."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import structlog

from evidence.clients.kubernetes_watch import SeenEvent, SeenNode, SeenPod
from ingest.events.message import EventGroupMessage
from ingest.watching import dedup
from ingest.watching.dedup import EventGroup, GroupKey, Occurrence
from ingest.watching.event_rules import PodEvent, PodState, gone, node_state, pod_event, pod_state
from ingest.watching.rules import Seen

# Events of a pod come a little after it is gone.
KEPT_GONE = timedelta(minutes=10)
MOST_GROUPS = 500
MOST_KNOWN = 100_000
log = structlog.get_logger()


class WatchState:
    """Takes in objects of the API, also repeatedly and after a new list, and decides what to report."""

    def __init__(self, cluster: str, dump: bytes = b"[]") -> None:
        self.cluster = cluster
        self._seen = Seen()
        self._stopping: dict[str, datetime] = {}
        self._known: dict[str, tuple[int, datetime]] = {}
        self._groups: dict[GroupKey, EventGroup] = {g.key: g for g in msgspec.json.decode(dump, type=list[EventGroup])}

    def dump(self) -> bytes:
        """The groups that were reported, as JSON, for the next holder of the lease."""
        reported = [replace(g, occurrences=()) for g in self._groups.values() if g.reported_at is not None]
        return msgspec.json.encode(reported)

    def pods_listed(self, pods: Iterable[SeenPod], now: datetime) -> None:
        """Take in a new list of pods; pods that are not in it are gone."""
        there = {state.uid: state for state in map(pod_state, pods)}
        lost = [p for uid, p in self._seen.pods.items() if uid not in there]
        self._seen.pods = {p.uid: p for p in gone(lost, now)}
        self._seen.pods_listed = True
        for state in there.values():
            self._put(state)

    def pod_changed(self, change: str, pod: SeenPod, now: datetime) -> None:
        """ADDED, MODIFIED or DELETED."""
        self._put(pod_state(pod, gone_at=now if change == "DELETED" else None))

    def _put(self, state: PodState) -> None:
        stopped = self._stopping.get(state.uid)
        known = min((at for at in (state.deleting_since, stopped) if at), default=None)
        self._seen.pods[state.uid] = replace(state, deleting_since=known)

    def nodes_listed(self, nodes: Iterable[SeenNode], _now: datetime) -> None:
        """Take in a new list of nodes; nodes that are not in it are gone."""
        self._seen.nodes = {state.name: state for state in map(node_state, nodes)}
        self._seen.nodes_listed = True

    def node_changed(self, change: str, node: SeenNode, _now: datetime) -> None:
        """ADDED, MODIFIED or DELETED."""
        state = node_state(node)
        if change == "DELETED":
            self._seen.nodes.pop(state.name, None)
        else:
            self._seen.nodes[state.name] = state

    def events_listed(self, events: Iterable[SeenEvent], now: datetime) -> None:
        """Take in a new list of events; counts that are known are not counted again."""
        listed = [found for event in events if (found := pod_event(event, now))]
        there = {found.uid for found in listed}
        self._known = {uid: known for uid, known in self._known.items() if uid in there}
        for one in sorted(listed, key=lambda s: (s.last, s.uid)):
            self._take(one, now)

    def event_changed(self, change: str, event: SeenEvent, now: datetime) -> None:
        """ADDED and MODIFIED are counted; on DELETED the event's count is forgotten."""
        if change == "DELETED":
            self._known.pop(event.metadata.uid, None)
        elif one := pod_event(event, now):
            self._take(one, now)

    def _take(self, event: PodEvent, now: datetime) -> None:
        known, known_last = self._known.get(event.uid, (0, None))
        if len(self._known) < MOST_KNOWN or known:
            self._known[event.uid] = (max(known, event.count), event.last)
        if event.reason == "Killing" and not event.by_probe:
            self._stops(event)
            return
        first_met, key = known_last is None, dedup.key_of(event, self._seen.pods.get(event.pod_uid))
        if key is None:
            return
        already = dedup.already_failing(event, key, self._seen, now) if first_met else None
        occurrence = already or dedup.occurrence_of(event, known, known_last, now - dedup.WINDOW)
        if occurrence is not None:
            self._add_to_group(key, event, occurrence, first_met=first_met)

    def _stops(self, event: PodEvent) -> None:
        """Note a requested stop of a pod, which the kubelet reports before the pod's readiness fails."""
        if event.message.startswith("Stopping container") and event.pod_uid not in self._stopping:
            self._stopping[event.pod_uid] = event.first
            if state := self._seen.pods.get(event.pod_uid):
                self._put(state)

    def _add_to_group(self, key: GroupKey, event: PodEvent, occurrence: Occurrence, *, first_met: bool) -> None:
        group = self._groups.get(key)
        if group is not None and group.reported_at is not None and first_met:
            # Another process may have counted it: what it reported reaches as far as the group's last time.
            if occurrence.last <= group.last:
                return
            if occurrence.first <= group.last:
                occurrence = replace(occurrence, first=occurrence.last, count=1)
        if group is None and len(self._groups) >= MOST_GROUPS:
            log.warning("watcher_full", cluster=self.cluster, groups=MOST_GROUPS)
            return
        self._groups[key] = dedup.with_occurrence(group, key, event, occurrence, self._seen.pods.get(event.pod_uid))

    def step(self, now: datetime) -> list[EventGroupMessage]:
        """The messages to report now, in the order in which their groups began."""
        messages: list[EventGroupMessage] = []
        for group in sorted(self._groups.values(), key=lambda g: (g.first, str(g.key))):
            decision = dedup.decide(group, self._seen, now)
            if decision.report:
                messages.append(dedup.message(self.cluster, decision.group or group, decision, self._seen))
            if decision.group is None:
                del self._groups[group.key]
            else:
                self._groups[group.key] = decision.group
        self._forget(now)
        return messages

    def _forget(self, now: datetime) -> None:
        pods = self._seen.pods
        old = [uid for uid, pod in pods.items() if pod.gone_at and now - pod.gone_at > KEPT_GONE]
        for uid in old:
            del pods[uid]
        self._stopping = {uid: at for uid, at in self._stopping.items() if uid in pods or now - at < KEPT_GONE}
