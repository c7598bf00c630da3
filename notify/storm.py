"""The storm stage: when many incidents are new to a target within its minutes, they become one message, a digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from notify import dedup, outbox, targets
from notify.dedup import Pending
from notify.targets import Target
from tickets.system import Reason

# What one message is about: one incident, or all incidents of a digest, the worst first.
Message = list[Pending]


def group(target: Target, pending: Sequence[Pending], now: datetime) -> list[Message]:
    """Groups what is pending into messages, in the order in which they are sent; a digest comes first.

    A digest also takes in the other waiting rows of the target. Rows whose digest is not due yet are given back.
    """
    first = [one for one in pending if _is_first(one)]
    if not first or not _storms(target, len(first), now):
        return [[one] for one in pending]
    rest = [[one] for one in pending if not _is_first(one)]
    digest = _digest(target, first, now)
    return [digest, *rest] if digest else rest


def is_storm(sent_lately: int, waiting: int, limit: int) -> bool:
    """Whether more than `limit` incidents are new to a target: those sent lately and those that wait."""
    return sent_lately + waiting > limit


def release(message: Message, next_at: datetime) -> None:
    """Gives the rows of a message back untried; they are due again at `next_at`."""
    for pending in message:
        outbox.release(pending.row, next_at)


def _is_first(pending: Pending) -> bool:
    """Whether it would be the target's first message on the incident."""
    return pending.reason is Reason.VERDICT and pending.row.first_at is None


def _storms(target: Target, claimed: int, now: datetime) -> bool:
    """Whether the target has a storm, counting `claimed` rows of this worker."""
    limit = getattr(target.declared, "storm_incidents", 0)
    if not limit:
        return False
    sent_lately, waiting = outbox.first_messages(target.name, now, _window(target))
    return is_storm(sent_lately, len(waiting) + claimed, limit)


def _window(target: Target) -> timedelta:
    return timedelta(minutes=target.declared.storm_minutes)


def _digest(target: Target, first: Message, now: datetime) -> Message:
    """Everything that is new to the target, the worst first; empty while the last digest is too fresh."""
    window = _window(target)
    _, waiting = outbox.first_messages(target.name, now, window)
    at = targets.next_digest(target.name, window, now, alone=len(waiting) + len(first) == 1)
    if at > now:
        release(first, at)
        outbox.postpone(waiting, at)
        return []
    more = dedup.pending(target, outbox.claim(waiting, now, early=True), now)
    return sorted([*first, *more], key=lambda one: (-one.snapshot.severity.rank, one.snapshot.number))
