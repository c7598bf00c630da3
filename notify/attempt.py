"""The attempt stage: sends one message, and writes its outcome into the outbox and the target's breaker."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from domain import codec
from domain.errors import Malformed, NotYet, Refused, Unreachable
from notify import outbox, targets
from notify.dedup import Pending
from notify.models import Outbox
from notify.reports import known, report_of
from notify.storm import Message
from notify.targets import Target
from notify.transport import transport_for
from tickets.report import Known
from tickets.system import Notification, Reason, Receipt, TargetState
from tickets.transport import Traffic, known_secrets, secrets_of, without_secrets

# A row that meets a fault of this program is given up after so many attempts.
MAX_FAULTS = 8
log = structlog.get_logger()


@dataclass(slots=True)
class Batch:
    """What the attempts of one batch share.

    `codes` counts HTTP responses by status, 0 for none. `known` is looked up with the first message. `succeeded` says
    that the target's breaker knows already of this batch's success.
    """

    target: Target
    clock: Callable[[], datetime]
    codes: Counter[int] = field(default_factory=Counter)
    known: Known | None = None
    succeeded: bool = False


def send(batch: Batch, message: Message) -> bool:
    """Sends one message and writes the outcome into its rows. False when the target cannot be reached now."""
    traffic, rows = Traffic(), [pending.row for pending in message]
    try:
        _finish(batch, message, _deliver(batch, message, traffic), traffic)
    except NotYet as error:
        _back_off(batch, rows, error)
        targets.succeeded(batch.target.name, batch.clock())
    except Unreachable as error:
        _trip(batch, rows, error)
        return False
    except (Refused, Malformed) as error:
        _refuse(batch, rows, error)
    except Exception as error:  # the border of a task: a fault of ours costs this message alone
        log.exception("notify_failed", target=batch.target.name, incidents=_incidents(rows))
        fail(batch, rows, error)
    finally:
        batch.codes.update(traffic.codes)
    return True


def _deliver(batch: Batch, message: Message, traffic: Traffic) -> Receipt:
    """Hands the message to the target's system. Raises what the system raises."""
    batch.known = batch.known or known()
    notification = notification_of(message, batch.target.declared.language, batch.known)
    transport = transport_for(batch.target, traffic, batch.clock())
    with transport.client:
        return batch.target.system.notify(transport, notification, _target_state(message[0].row, batch.target))


def _target_state(row: Outbox, target: Target) -> TargetState:
    """What the system keeps of the row; in a dry run it is not stored."""
    return outbox.PassingTargetState(row) if target.dry_run else outbox.StoredTargetState(row)


def notification_of(message: Message, language: str, known: Known) -> Notification:
    """The notification of one incident, or of a digest: its first incident with the reports of all others."""
    first = message[0]
    report = report_of(first.snapshot, known)
    notification = Notification(first.snapshot, report, first.row.revision, first.reason, language, first.labels)
    if len(message) == 1:
        return notification
    others = tuple(report_of(pending.snapshot, known) for pending in message[1:])
    return replace(notification, reason=Reason.DIGEST, digest=others)


def _finish(batch: Batch, message: Message, receipt: Receipt, traffic: Traffic) -> None:
    """The message is sent: its rows are done, and the breaker is closed."""
    now = batch.clock()
    with transaction.atomic():
        for pending in message:
            _finish_row(pending, receipt, traffic, now, dry_run=batch.target.dry_run)
        if not batch.succeeded:
            targets.succeeded(batch.target.name, now)
    batch.succeeded = True


def _finish_row(pending: Pending, receipt: Receipt, traffic: Traffic, now: datetime, *, dry_run: bool) -> None:
    """One row is done, with what was sent of it; a dry run only keeps what it would have sent."""
    row = pending.row
    fields: dict[str, Any] = {
        "last_sent": {"standing": asdict(pending.state), "dry_run": dry_run},
        "preview": traffic.held_back if dry_run else [],
        "sentence": codec.to_builtins(receipt.sentence),
        "first_at": row.first_at,
    }
    if not dry_run:
        outbox.link_ticket(row, receipt)
        fields |= {"first_at": row.first_at or now, "sent_at": now}
        fields |= {"key": receipt.key[:255], "url": receipt.url[:500]}
    outbox.finish(row, now, **fields)


def _back_off(batch: Batch, rows: list[Outbox], error: Unreachable) -> None:
    for row in rows:
        outbox.back_off(row, _reason(batch, error), batch.clock(), error.retry_after_s)


def _trip(batch: Batch, rows: list[Outbox], error: Unreachable) -> None:
    """The target did not answer: its rows back off, and its breaker counts a failure."""
    reason = _reason(batch, error)
    log.warning("target_unreachable", target=batch.target.name, incidents=_incidents(rows), error=reason)
    with transaction.atomic():
        _back_off(batch, rows, error)
        targets.failed(batch.target.name, reason, batch.clock(), error.retry_after_s)


def _refuse(batch: Batch, rows: list[Outbox], error: Exception) -> None:
    """The target refused, which is an answer: its rows are dead, and its breaker is closed."""
    reason = _reason(batch, error)
    log.warning("target_refused", target=batch.target.name, incidents=_incidents(rows), error=reason)
    with transaction.atomic():
        for row in rows:
            outbox.refuse(row, reason, batch.clock())
        targets.succeeded(batch.target.name, batch.clock(), refused=reason)


def fail(batch: Batch, rows: list[Outbox], error: Exception) -> None:
    """A fault of this program: the rows back off, and are dead after MAX_FAULTS attempts."""
    reason = f"a fault of this program: {_reason(batch, error)}"
    for row in rows:
        if row.attempts >= MAX_FAULTS:
            outbox.refuse(row, reason, batch.clock())
        else:
            outbox.back_off(row, reason, batch.clock())


def _reason(batch: Batch, error: Exception) -> str:
    """The error's sentence without the secrets of the target."""
    secret = secrets_of(batch.target.declared, settings.DECLARED_SECRET)
    return without_secrets(str(error), known_secrets(secret))


def _incidents(rows: list[Outbox]) -> list[str]:
    return [row.object for row in rows]
