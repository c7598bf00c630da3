"""The whole story of an alert, on one page: door, parse, record, collect, remember, rank, tell.

| step     | where                    | on failure                                                       |
|----------|--------------------------|------------------------------------------------------------------|
| parse    | `ingest.sources`         | parked with the field and the reason, visible, can be replayed   |
| record   | `incidents.record`       | another attempt later; after the last one dead, visible          |
| collect  | `evidence.collect`       | a check that cannot answer is unknown with a reason              |
| rank     | `causes.rank`            | pure; abstains rather than guesses                               |
| remember | `graph`                  | waits in the outbox; the page says that the graph is behind      |
| tell     | `tickets`                | waits in the outbox; a refusal is shown and can be sent again    |
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter

import structlog

from domain.alerts import ParsedDelivery
from domain.connections import Connections
from domain.errors import Malformed
from evidence.bundles import pack_answers
from incidents import record
from incidents.models import Delivery, Incident, Investigation
from ingest import memory, telling, witnesses
from ingest.judging import completed, judge
from ingest.refill import refill
from ingest.sources import all_sources

Declared = Callable[[], Connections]
MOST_ALERTS = 2000
log = structlog.get_logger()


def ingest(delivery_ids: Sequence[str]) -> list[str]:
    """Parse deliveries and place their alerts, a burst of one source at once; the ids of the incidents touched."""
    claimed = sorted(record.claim_deliveries(delivery_ids), key=attrgetter("source_id"))
    by_source = groupby(claimed, key=attrgetter("source_id"))
    return [str(incident.pk) for _, rows in by_source for incident in _taken(list(rows))]


def _taken(rows: list[Delivery]) -> list[Incident]:
    """Deliveries of one source: what is declared for it is read once."""
    declared = cache(partial(witnesses.connections_for, rows[0].source))
    burst = [(row, parsed) for row in rows if (parsed := _parsed(row, declared)) is not None]
    return _placed(burst, declared) if burst else []


def _parsed(delivery: Delivery, declared: Declared) -> ParsedDelivery | None:
    try:
        return _bounded(refill(delivery, _read(delivery), declared()))
    except Malformed as error:
        record.park(delivery, str(error))
    except Exception as error:  # the border of a task: what is not expected counts as an attempt too
        log.exception("delivery_failed", delivery=str(delivery.pk))
        record.fail_delivery(delivery, str(error))
    return None


def _read(delivery: Delivery) -> ParsedDelivery:
    """What it says. Raises Malformed: reading is pure, so what fails once fails always and is not tried again."""
    try:
        return all_sources()[delivery.source.kind].parse(bytes(delivery.body), delivery.received_at)
    except (RecursionError, OverflowError, ValueError) as error:
        log.exception("delivery_unreadable", delivery=str(delivery.pk))
        raise Malformed(f"it cannot be read ({error})") from error


def _bounded(parsed: ParsedDelivery) -> ParsedDelivery:
    """What one worker can place before its time is over; the others count as cut off, as a sender's own limit does."""
    over = len(parsed.alerts) - MOST_ALERTS
    if over <= 0:
        return parsed
    log.warning("delivery_cut", alerts=len(parsed.alerts), kept=MOST_ALERTS)
    return replace(parsed, alerts=parsed.alerts[:MOST_ALERTS], missing=parsed.missing + over)


def _placed(burst: list[tuple[Delivery, ParsedDelivery]], declared: Declared) -> list[Incident]:
    try:
        return record.apply_burst(burst, declared())
    except Exception as error:  # the same border
        if len(burst) > 1:  # one that cannot be placed must not hold up the others
            return [incident for pair in burst for incident in _placed([pair], declared)]
        delivery = burst[0][0]
        log.exception("delivery_failed", delivery=str(delivery.pk))
        record.fail_delivery(delivery, str(error))
        return []


def investigate(investigation_id: int) -> str:
    """Collect the evidence of one incident and rank its causes; the incident's id if there is a new verdict."""
    investigation = record.claim_investigation(investigation_id)
    if investigation is None:
        return ""
    try:
        _look(investigation, investigation.incident)
        return str(investigation.incident_id)
    except Exception as error:  # the same border
        log.exception("investigation_failed", incident=str(investigation.incident_id))
        record.fail_investigation(investigation, str(error))
        return ""


def _look(investigation: Investigation, incident: Incident) -> None:
    view = witnesses.view_of(incident, investigation)
    collected = completed(view.scope, view.collect())
    similar = memory.similar(incident, collected.findings)
    verdict = judge(view.scope, collected.findings, similar)
    answers = pack_answers(collected.answers)
    record.save_look(investigation, view.scope.as_of, collected.findings, answers, verdict)


def remember() -> int:
    """Bring everything that waits into the graph; how many incidents."""
    return memory.remember_waiting()


def tell() -> int:
    """Bring everything that waits to tickets, chats and sources; how many rows were worked on."""
    return telling.tell_waiting()
