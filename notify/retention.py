"""What is forgotten of ticket systems after a while: webhooks that are done, and applied events of old incidents."""

from collections.abc import Callable
from datetime import datetime, timedelta

from incidents.retention import deleted, in_batches, incident_over
from notify.models import AppliedTicketEvent, InboundWebhook


def forget(keep: timedelta, now: datetime, go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """How many of each kind were forgotten, batch by batch while `go_on` allows."""
    before = now - keep
    webhooks = InboundWebhook.objects.filter(state="done", received_at__lt=before)
    events = AppliedTicketEvent.objects.filter(incident_over(before), at__lt=before)
    return {
        "webhooks": in_batches(lambda: deleted(webhooks), go_on),
        "ticket_events": in_batches(lambda: deleted(events), go_on),
    }
