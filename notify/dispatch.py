"""Dispatches the outbox: takes what is due, targets in turn and at their pace, and runs each batch down the stages.

dedup (is there a reason to notify?) -> storm (which incidents share a message?) -> attempt (send, and write the
outcome into the outbox).
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from notify import attempt, dedup, outbox, storm, targets
from notify.models import Outbox
from notify.targets import Target

ROUND_S = 45.0
# The longest pace of a target that a worker waits for; after a longer one the sweeper comes back.
PACE_S = 4.0
# A worker begins no further row of a batch after this time: the claim (130 s) has to outlast the row's attempt (60 s)
# and its last call (30 s).
BATCH_TIME = timedelta(seconds=30)
# Two of a process's threads at most: a target that hangs must not keep the inbox waiting.
AT_ONCE = threading.BoundedSemaphore(2)
Clock = Callable[[], datetime]
log = structlog.get_logger()


def dispatch_waiting(
    clock: Clock = timezone.now, limit_s: float = ROUND_S, pause: Callable[[float], None] = time.sleep
) -> int:
    """Dispatches what is due until nothing is, or until `limit_s` seconds are over. Returns the number of rows."""
    if not AT_ONCE.acquire(blocking=False):
        return 0
    try:
        done, end = 0, time.monotonic() + limit_s
        while time.monotonic() < end:
            dispatched = _dispatch_round(clock, end)
            if not dispatched and not _wait_for_pace(clock, pause):
                break
            done += dispatched
        return done
    finally:
        AT_ONCE.release()


def _dispatch_round(clock: Clock, end: float) -> int:
    """Goes once through what is due, targets in turn, until the monotonic time `end`. Returns the number of rows."""
    declared = targets.declared_targets()
    return _probe_breakers(declared, clock) + _dispatch_due(declared, clock, end)


def _probe_breakers(declared: dict[str, Target], clock: Clock) -> int:
    """Tries one row of each target whose open breaker is due to be tried."""
    dispatched = 0
    for pk, name in outbox.probes(clock()):
        if targets.take_slot(name, 0.0, clock(), early=True):
            dispatched += notify([pk], declared.get(name), clock, early=True)
    return dispatched


def _dispatch_due(declared: dict[str, Target], clock: Clock, end: float) -> int:
    """Sends the due batches. A target that must keep its pace is passed over for the rest of the round."""
    dispatched, held = 0, set[str]()
    for name, batch in outbox.due(clock()):
        if name in held or time.monotonic() >= end:
            continue
        every_s = declared[name].system.every_s if name in declared else 0.0
        if targets.take_slot(name, every_s, clock()):
            dispatched += notify(batch[:1] if every_s else batch, declared.get(name), clock)
        else:
            held.add(name)
    return dispatched


def _wait_for_pace(clock: Clock, pause: Callable[[float], None]) -> bool:
    """Waits for the next slot of a target that keeps a pace. False when that is too far away, or no time went by."""
    now = clock()
    wait_s = targets.next_slot_s(now)
    if wait_s > PACE_S:
        return False
    pause(wait_s)
    return clock() > now


def notify(ids: Sequence[int], target: Target | None, clock: Clock = timezone.now, *, early: bool = False) -> int:
    """Notifies one target of some rows of the outbox. Returns how many rows this worker could claim.

    `target` is None when the rows' target is not declared any more; `early` claims rows before their time.
    """
    rows = outbox.claim(ids, clock(), early=early)
    if target is None:
        for row in rows:
            outbox.refuse(row, f"{row.target} is not declared any more; declare it again, or leave this", clock())
    elif rows:
        _run_stages(target, rows, clock)
    return len(rows)


def _run_stages(target: Target, rows: list[Outbox], clock: Clock) -> None:
    """Runs claimed rows through all stages. Whatever happens, each row has an outcome afterwards."""
    began, batch = clock(), attempt.Batch(target, clock)
    try:
        messages = storm.group(target, dedup.pending(target, rows, began), began)
    except Exception as error:  # the border of a task: a fault of ours costs these rows alone
        log.exception("notify_failed", target=target.name)
        attempt.fail(batch, rows, error)
        return
    reachable = True
    for message in messages:
        if reachable and clock() - began < BATCH_TIME:
            reachable = attempt.send(batch, message)
        else:
            storm.release(message, clock())
    targets.count_responses(target.name, batch.codes)
