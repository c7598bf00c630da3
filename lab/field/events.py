"""The product's own watcher of Kubernetes on the stage: what it reports comes into the sink as its deliveries."""

import contextlib
import queue
import threading
from datetime import UTC, datetime

import msgspec

from domain.connections import KubernetesDecl
from evidence.clients.kubernetes_watch import HUNG_S, Watched
from ingest.watching.state import WatchState
from ingest.watching.streams import Streams
from lab.stage.sink import Sink, Taken


class Eyes:
    """Follows the cluster in a thread of its own until `stop`."""

    def __init__(self, declared: KubernetesDecl, sink: Sink) -> None:
        self._cluster, self._sink = declared.name, sink
        self._state = WatchState(declared.name)
        self._streams = Streams(Watched(declared, hung_s=HUNG_S))
        self._streams.start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the streams and the thread."""
        self._streams.stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._streams.stop.is_set():
            self._take_in()
            now = datetime.now(UTC)
            for message in self._state.step(now):
                body = msgspec.json.encode(message)
                self._sink.taken.append(Taken("kubernetes", self._cluster, now, {}, body))

    def _take_in(self) -> None:
        """What came within a second."""
        with contextlib.suppress(queue.Empty):
            item = self._streams.items.get(timeout=1.0)
            while True:
                if item.put is not None:
                    item.put(self._state, datetime.now(UTC))
                item = self._streams.items.get_nowait()
