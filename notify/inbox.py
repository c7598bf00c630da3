"""Reads what people did at the targets, from webhooks and polls, and applies it to the record."""

from datetime import datetime

import structlog

from domain.errors import Malformed, ProductError, Refused
from notify import targets, ticket_events
from notify.models import InboundWebhook
from notify.targets import Target
from notify.transport import transport_to

log = structlog.get_logger()


def process(webhook_id: str) -> int:
    """Applies one stored webhook to the record. Returns how many of its events changed something."""
    row = ticket_events.claim(webhook_id)
    if row is None:
        return 0
    try:
        changed = _apply_webhook(row)
        ticket_events.finish_webhook(row, "done")
        return changed
    except (Malformed, Refused) as error:
        # Kept with its reason; it is not tried again by itself.
        ticket_events.finish_webhook(row, "parked", str(error))
    except Exception as error:  # the border of a task: what is not expected counts as an attempt too
        log.exception("webhook_failed", target=row.target)
        ticket_events.try_later(row, str(error))
    return 0


def _apply_webhook(row: InboundWebhook) -> int:
    target = targets.declared_targets().get(row.target)
    if target is None:
        raise Refused(f"{row.target} is not declared any more; declare it again")
    with transport_to(target, row.received_at) as transport:
        events = target.system.parse_webhook(transport, row.headers, bytes(row.body))
    return sum(ticket_events.apply(row.target, event) for event in events)


def poll(now: datetime) -> int:
    """Polls each ticket system that sends no webhooks, if it is due. Returns how many events changed something."""
    changed = 0
    for target in targets.declared_targets().values():
        if target.system.section == "ticket" and target.declared.poll_s and not _sends_webhooks(target):
            changed += _poll_target(target, now)
    return changed


def _sends_webhooks(target: Target) -> bool:
    declared = target.declared
    names = ("webhook_secret_file", "webhook_secret_env", "webhook_path_file", "webhook_path_env")
    return any(getattr(declared, name) for name in names)


def _poll_target(target: Target, now: datetime) -> int:
    keys = ticket_events.open_keys(target.name, now)
    since = ticket_events.take_poll(target.name, target.declared.poll_s, now) if keys else None
    if since is None:
        return 0
    try:
        with transport_to(target, now) as transport:
            events = target.system.poll_events(transport, keys, since)
        return sum(ticket_events.apply(target.name, event) for event in events)
    except ProductError as error:
        log.warning("poll_failed", target=target.name, error=str(error))
    except Exception:  # the border of a task: an answer that nobody expected holds up no other system
        log.exception("poll_failed", target=target.name)
    ticket_events.poll_failed(target.name, since)
    return 0
