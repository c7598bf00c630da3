"""Celery tasks of notifications: bring the outbox to its targets, and what ticket systems send into the record."""

import time
from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from incidents.nudge import nudge
from notify import dispatch, inbox, outbox, retention, ticket_events

# Well below the time limit of a task.
FORGETTING_S = 45.0
log = structlog.get_logger()


@shared_task
def notify_targets(_: str = "") -> None:
    """Dispatch what waits for a ticket system, a chat or a source."""
    dispatch.dispatch_waiting()


@shared_task
def process_webhook(webhook_id: str) -> None:
    """Apply one webhook of a ticket system to the record."""
    if inbox.process(webhook_id):
        nudge("notify")


@shared_task
def poll() -> None:
    """Poll the ticket systems that send no webhooks."""
    inbox.poll(timezone.now())


@shared_task
def sweep() -> None:
    """Pick up webhooks that wait and notifications that are due."""
    for webhook_id in ticket_events.waiting(timezone.now()):
        nudge("webhook", webhook_id)
    if outbox.waits(timezone.now()):
        nudge("notify")


@shared_task
def forget() -> None:
    """Webhooks and applied events whose time is over; a backlog is worked off over several rounds."""
    ends = time.monotonic() + FORGETTING_S
    keep = timedelta(days=settings.KEEP_DELIVERIES_DAYS)
    gone = retention.forget(keep, timezone.now(), lambda: time.monotonic() < ends)
    if any(gone.values()):
        log.info("forgotten", **gone)


def nudge_webhook(webhook_id: str) -> None:
    """Nudge a worker about a webhook once it is committed."""
    transaction.on_commit(lambda: nudge("webhook", webhook_id))


def nudge_notify() -> None:
    """Nudge a worker about rows that are due, once they are committed."""
    transaction.on_commit(lambda: nudge("notify"))
