"""Follows one declared cluster while this process holds its lease: takes changes in, groups events, reports."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from domain.connections import KubernetesDecl
from domain.errors import ProductError
from evidence.clients.kubernetes_watch import HUNG_S, Watched
from evidence.ways import reading
from incidents import watch_leases
from ingest.watching.state import WatchState
from ingest.watching.streams import Streams

STEP_S = 1.0
RENEW_S = 10.0
TRY_AGAIN_S = 5.0
# How many changes are taken in before the groups are evaluated.
BURST_MOST = 2000
log = structlog.get_logger()
Nudge = Callable[[Sequence[str]], None]


@dataclass(slots=True)
class Follower:
    """Watches one cluster. `nudge` starts the task for new deliveries, `ended` stops it, `holder` is unique."""

    declared: KubernetesDecl
    holder: str
    nudge: Nudge
    ended: threading.Event = field(default_factory=threading.Event)
    hung_s: float = HUNG_S
    _observed_at: datetime | None = None
    _errors: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Until `ended`: lead, or wait for the lease."""
        while not self.ended.is_set():
            try:
                dump = watch_leases.take(self.declared.name, self.holder, timezone.now())
                if dump is not None:
                    self._lead(WatchState(self.declared.name, dump))
            except (DatabaseError, ProductError, msgspec.MsgspecError) as error:
                log.warning("watcher_starts_again", cluster=self.declared.name, reason=str(error))
            except Exception:  # outermost level of a thread, which must not end while its cluster is declared
                log.exception("watcher_failed", cluster=self.declared.name)
            close_old_connections()
            self.ended.wait(TRY_AGAIN_S)
        connection.close()

    def _lead(self, state: WatchState) -> None:
        log.info("watcher_leads", cluster=self.declared.name)
        streams = Streams(Watched(self.declared, reading(settings.DECLARED_SECRET), self.hung_s))
        streams.start()
        try:
            self._until_ended(state, streams)
        finally:
            streams.stop.set()
            watch_leases.release(self.declared.name, self.holder)

    def _until_ended(self, state: WatchState, streams: Streams) -> None:
        renewed = 0.0
        while not self.ended.is_set():
            self._take_in(state, streams)
            self._report(state)
            if time.monotonic() - renewed >= RENEW_S:
                renewed = time.monotonic()
                close_old_connections()
                errors = "; ".join(sorted(set(self._errors.values()) - {""}))
                watch_leases.renew(self.declared.name, self.holder, timezone.now(), self._observed_at, errors)

    def _take_in(self, state: WatchState, streams: Streams) -> None:
        """Take in the changes of one step, at most `BURST_MOST`."""
        until = time.monotonic() + STEP_S
        for _ in range(BURST_MOST):
            try:
                items = streams.items.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            self._errors[items.stream] = items.error
            if items.error:
                log.warning("watch_interrupted", cluster=self.declared.name, reason=items.error)
                continue
            self._observed_at = timezone.now()
            if items.put is not None:
                items.put(state, self._observed_at)

    def _report(self, state: WatchState) -> None:
        """One delivery per message, in one transaction with the state of what was reported."""
        now = timezone.now()
        report = state.step(now)
        if not report:
            return
        bodies = [msgspec.json.encode(message) for message in report]
        rows = watch_leases.report(self.declared.name, self.holder, bodies, state.dump(), now)
        log.info("watcher_told", cluster=self.declared.name, messages=len(rows))
        self.nudge([str(row.pk) for row in rows])
