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

import structlog

from domain.errors import Malformed
from incidents import record
from incidents.models import Incident, Investigation
from ingest import memory, telling, witnesses
from ingest.judging import completed, judge
from ingest.refill import refill
from ingest.sources import all_sources

log = structlog.get_logger()


def ingest(delivery_id: str) -> list[str]:
    """Parse one delivery and place its alerts; the ids of the incidents that it touched."""
    delivery = record.claim_delivery(delivery_id)
    if delivery is None:
        return []
    try:
        parsed = all_sources()[delivery.source.kind].parse(bytes(delivery.body), delivery.received_at)
        declared = witnesses.connections_for(delivery.source)
        touched = record.apply_parsed(delivery, refill(delivery, parsed, declared), declared)
        return [str(incident.pk) for incident in touched]
    except Malformed as error:
        record.park(delivery, str(error))
    except Exception as error:  # the border of a task: what is not expected counts as an attempt too
        log.exception("delivery_failed", delivery=delivery_id)
        record.fail_delivery(delivery, str(error))
    return []


def investigate(investigation_id: int) -> bool:
    """Collect the evidence of one incident and rank its causes; whether there is a new verdict."""
    investigation = record.claim_investigation(investigation_id)
    if investigation is None:
        return False
    try:
        _look(investigation, investigation.incident)
        return True
    except Exception as error:  # the same border
        log.exception("investigation_failed", incident=str(investigation.incident_id))
        record.fail_investigation(investigation, str(error))
        return False


def _look(investigation: Investigation, incident: Incident) -> None:
    view = witnesses.view_of(incident, investigation)
    collected = completed(view.scope, view.collect())
    similar = memory.similar(incident, collected.findings)
    verdict = judge(view.scope, collected.findings, similar)
    record.save_investigation(investigation, view.scope.as_of, collected.findings, view.packed(collected.answers))
    record.save_verdict(incident, investigation, verdict)


def remember() -> int:
    """Bring everything that waits into the graph; how many incidents."""
    return memory.remember_waiting()


def tell() -> int:
    """Bring everything that waits to tickets, chats and sources; how many rows were worked on."""
    return telling.tell_waiting()
