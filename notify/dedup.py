"""The dedup stage: compares an incident with what the target was last sent, and keeps what is worth a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from domain.alerts import Severity
from domain.snapshot import IncidentSnapshot
from domain.verdict import VerdictState
from incidents import queries
from notify import outbox
from notify.models import Outbox
from notify.targets import Target
from tickets.system import LOUD, Reason


@dataclass(frozen=True, slots=True)
class LastState:
    """What of an incident messages are about. `cause` is the first ranked one, empty while it is unknown.

    `merged` is the number of the incident that it was merged into, 0 for none.
    """

    judged: bool
    cause: str = ""
    resolved: bool = False
    reopened: int = 0
    acknowledged: str = ""
    confirmed: str = ""
    merged: int = 0


def state_of(snapshot: IncidentSnapshot) -> LastState:
    """The incident's state now."""
    verdict = snapshot.verdict
    ranked = verdict is not None and verdict.causes and verdict.state is not VerdictState.UNKNOWN
    return LastState(
        judged=verdict is not None,
        cause=verdict.causes[0].cause if verdict is not None and ranked else "",
        resolved=snapshot.state == "resolved",
        reopened=snapshot.reopened,
        acknowledged=snapshot.acknowledged_by,
        confirmed=snapshot.confirmed[-1].cause if snapshot.confirmed else "",
        merged=snapshot.merged_into,
    )


def stored_state(kept: Mapping[str, Any]) -> LastState:
    """The state as it was stored, perhaps by another version: unknown keys are left out."""
    known = {f.name for f in fields(LastState)}
    return LastState(**{"judged": True, **{name: value for name, value in kept.items() if name in known}})


def reason_to_notify(before: LastState | None, now: LastState) -> Reason | None:
    """Why to notify of an incident that was last sent as `before` (None: never); None while there is no reason.

    That it was merged is the last message about it.
    """
    if before is None or now.merged:
        return _first_or_last_reason(before, now)
    if before.resolved != now.resolved:
        return Reason.RESOLVED if now.resolved else Reason.REOPENED
    if now.reopened > before.reopened and not now.resolved:
        return Reason.REOPENED
    if now.confirmed != before.confirmed:
        return Reason.CONFIRMED
    # From a cause to unknown is less evidence, not another cause.
    if now.cause and now.cause != before.cause:
        return Reason.CAUSE_CHANGED
    return Reason.ACKNOWLEDGED if now.acknowledged != before.acknowledged else Reason.UPDATED


def _first_or_last_reason(before: LastState | None, now: LastState) -> Reason | None:
    """The reason for the first message, or for the last one, if the target had a first."""
    if before is None:
        return Reason.VERDICT if now.judged and not now.merged else None
    return None if before.merged else Reason.MERGED


def passes(reason: Reason | None, *, edits: bool) -> bool:
    """Whether the target is notified: one that edits in place follows every revision, any other only what is loud."""
    return reason is not None and (edits or reason in LOUD)


def severe_enough(snapshot: IncidentSnapshot, least: str) -> bool:
    """Whether the incident reaches `least`, the lowest severity that a target wants."""
    return snapshot.severity.rank >= Severity(least).rank


@dataclass(frozen=True, slots=True)
class Pending:
    """A claimed row with its incident, the incident's state now, and the reason to notify.

    `labels` are the keys and labels under which the target may have a ticket of the incident already.
    """

    row: Outbox
    snapshot: IncidentSnapshot
    state: LastState
    reason: Reason
    labels: tuple[str, ...]


def pending(target: Target, rows: Sequence[Outbox], now: datetime) -> list[Pending]:
    """What of the claimed rows the target is to be notified of; the other rows are done."""
    ids = [row.object for row in rows]
    labels = outbox.labels_for(target.name, ids)
    snapshots = {snapshot.id: snapshot for snapshot in queries.snapshots(ids, with_findings=False)}
    found = [_pending(target, row, snapshots.get(row.object), labels.get(row.object, ())) for row in rows]
    for row, one in zip(rows, found, strict=True):
        if one is None:
            outbox.finish(row, now)
    return [one for one in found if one is not None]


def _pending(target: Target, row: Outbox, snapshot: IncidentSnapshot | None, labels: tuple[str, ...]) -> Pending | None:
    if snapshot is None:
        return None
    state = state_of(snapshot)
    reason = reason_to_notify(_last_state(target, row), state)
    if reason is None or not passes(reason, edits=target.system.edits):
        return None
    least = getattr(target.declared, "min_severity", "info")
    return Pending(row, snapshot, state, reason, labels) if severe_enough(snapshot, least) else None


def _last_state(target: Target, row: Outbox) -> LastState | None:
    """What the target was last sent; a dry run has sent nothing to a target that is live now."""
    sent = row.last_sent and (target.dry_run or not row.last_sent["dry_run"])
    return stored_state(row.last_sent["standing"]) if sent else None
