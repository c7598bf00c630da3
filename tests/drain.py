"""Does all that waits here and now, without a broker, as the workers would."""

from collections.abc import Callable

from django.utils import timezone

from incidents import deliveries, investigations
from ingest import parse
from ingest.tasks import BURST_MOST
from investigate import run
from investigate.remember import remember_waiting
from notify import dispatch, inbox, ticket_events


def drain(limit: int = 100, pause: Callable[[], None] = lambda: None) -> int:
    """How many rounds it took, at most `limit`."""
    for round_number in range(limit):
        if not _round():
            remember_waiting()
            dispatch.dispatch_waiting()
            return round_number
        pause()
    return limit


def _round() -> bool:
    """Whether there was anything to do."""
    bursts = deliveries.waiting_deliveries(BURST_MOST)
    for burst in bursts:
        parse.ingest(burst)
    webhooks = [inbox.process(one) for one in ticket_events.waiting(timezone.now())]
    looked = [run.investigate(one) for one in investigations.due_investigations()]
    return bool(bursts or webhooks or looked or investigations.due_investigations())
