"""One thread per kind of object: lists, watches, resumes where a watch stopped, and puts everything in one queue."""

import queue
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from domain.errors import ProductError, Refused, Unreachable
from evidence.clients.kubernetes_watch import EVENTS, NODES, PODS, Expired, Kind, Watched
from ingest.watching.state import WatchState

BETWEEN_S = 0.1
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
LISTED_FROM_S = 4.0
REFUSED_WAIT_S = 30.0
WAITING_MOST = 2000
log = structlog.get_logger()
# How a new list, and one change of a named type, go into the state.
Listed = Callable[[WatchState, list[Any], datetime], None]
Changed = Callable[[WatchState, str, Any, datetime], None]


@dataclass(frozen=True, slots=True)
class StreamItem:
    """One answer of the API, or why it could not be asked. `put` is None for an answer without a change."""

    stream: str
    put: Callable[[WatchState, datetime], None] | None = None
    error: str = ""


@dataclass(slots=True)
class Streams:
    """The streams of one cluster; events are only read once the pods are known."""

    api: Watched
    stop: threading.Event = field(default_factory=threading.Event)
    items: "queue.Queue[StreamItem]" = field(default_factory=lambda: queue.Queue(WAITING_MOST))
    _pods_known: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Starts three threads, which end some time after `stop`."""
        for run in (self._pods, self._nodes, self._events):
            threading.Thread(target=run, name=f"watch {run.__name__}", daemon=True).start()

    def _pods(self) -> None:
        self._stream(PODS, WatchState.pods_listed, WatchState.pod_changed)

    def _nodes(self) -> None:
        self._stream(NODES, WatchState.nodes_listed, WatchState.node_changed)

    def _events(self) -> None:
        while not self._pods_known.wait(0.5):
            if self.stop.is_set():
                return
        self._stream(EVENTS, WatchState.events_listed, WatchState.event_changed)

    def _stream(self, kind: Kind[Any], listed: Listed, changed: Changed) -> None:
        """Until `stop`: list, then watch from where the last watch ended; an error backs off."""
        version, wait_s = "", FIRST_WAIT_S
        while not self.stop.is_set():
            try:
                version = version or self._list(kind, listed)
                for reached in self._follow(kind, changed, version):
                    version, wait_s = reached, FIRST_WAIT_S
                self.stop.wait(BETWEEN_S)
            except Expired:
                log.info("watch_expired", stream=kind.plural)
                version = ""
                self.stop.wait(FIRST_WAIT_S)
            except ProductError as error:
                # After a short outage the watch resumes. After a long one, or another error, a new list is needed.
                version = version if type(error) is Unreachable and wait_s < LISTED_FROM_S else ""
                self._put(StreamItem(kind.plural, error=str(error)))
                self.stop.wait(REFUSED_WAIT_S if isinstance(error, Refused) else wait_s * random.uniform(0.8, 1.2))
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            except Exception as error:  # outermost level of a thread: report any error and go on
                log.exception("watch_failed", stream=kind.plural)
                version = ""
                self._put(StreamItem(kind.plural, error=f"{type(error).__name__}; its log has the place"))
                self.stop.wait(LONGEST_WAIT_S)

    def _list(self, kind: Kind[Any], listed: Listed) -> str:
        items, version = self.api.listed(kind)
        self._put(StreamItem(kind.plural, lambda state, now: listed(state, items, now)))
        if kind is PODS:
            self._pods_known.set()
        return version

    def _follow(self, kind: Kind[Any], changed: Changed, version: str) -> Iterator[str]:
        """Watch and yield the version after each change; a watch that ends by itself counts as an answer too."""
        for change in self.api.followed(kind, version):
            if self.stop.is_set():
                return
            self._put(_item_of(kind.plural, changed, change.type, change.object))
            if change.version:
                yield change.version
        self._put(StreamItem(kind.plural))

    def _put(self, items: StreamItem) -> None:
        """Put an item in the queue; waits while it is full, so that the API server waits too."""
        while not self.stop.is_set():
            try:
                self.items.put(items, timeout=0.5)
            except queue.Full:
                continue
            return


def _item_of(stream: str, changed: Changed, change: str, item: Any) -> StreamItem:
    if item is None:
        return StreamItem(stream)
    return StreamItem(stream, lambda state, now: changed(state, change, item, now))
