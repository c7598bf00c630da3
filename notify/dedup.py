"""The quiet policy: what of an incident is worth a message now, and when many new ones become one message."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from domain.alerts import Severity
from domain.snapshot import IncidentSnapshot
from domain.verdict import VerdictState
from tickets.system import LOUD, Reason


@dataclass(frozen=True, slots=True)
class LastState:
    """What of an incident messages are about. `cause` is the first ranked one, empty while it is unknown."""

    judged: bool
    cause: str = ""
    resolved: bool = False
    reopened: int = 0
    acknowledged: str = ""
    confirmed: str = ""


def state_of(snapshot: IncidentSnapshot) -> LastState:
    """How the incident stands now."""
    verdict = snapshot.verdict
    ranked = verdict is not None and verdict.causes and verdict.state is not VerdictState.UNKNOWN
    return LastState(
        judged=verdict is not None,
        cause=verdict.causes[0].cause if verdict is not None and ranked else "",
        resolved=snapshot.state == "resolved",
        reopened=snapshot.reopened,
        acknowledged=snapshot.acknowledged_by,
        confirmed=snapshot.confirmed[-1].cause if snapshot.confirmed else "",
    )


def stored_state(kept: Mapping[str, Any]) -> LastState:
    """A standing as it was kept, perhaps by another version."""
    known = {f.name for f in fields(LastState)}
    return LastState(**{"judged": True, **{name: value for name, value in kept.items() if name in known}})


def reason_to_notify(before: LastState | None, now: LastState) -> Reason | None:
    """Why to tell of an incident that was last told as `before` (None: never); None while there is nothing to tell."""
    if before is None:
        return Reason.VERDICT if now.judged else None
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


def passes(why: Reason | None, *, edits: bool) -> bool:
    """Whether the target is told: one that edits in place follows every revision, any other only what is loud."""
    return why is not None and (edits or why in LOUD)


def severe_enough(snapshot: IncidentSnapshot, least: str) -> bool:
    """Whether the incident reaches the severity from which a target wants to be told."""
    return snapshot.severity.rank >= Severity(least).rank


def storm(told_lately: int, waiting: int, limit: int) -> bool:
    """Whether first messages become a digest: more than `limit` incidents are new to a target within its minutes."""
    return told_lately + waiting > limit
