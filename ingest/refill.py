"""Fetches the alerts that a sender cut off, where an Alertmanager address is declared."""

from datetime import UTC
from typing import Any

import httpx
import msgspec
import structlog

from domain.alerts import ParsedDelivery
from domain.connections import Connections
from incidents.models import Delivery
from ingest.sources import all_sources

LIMIT_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 5.0
log = structlog.get_logger()


class _Active(msgspec.Struct):
    labels: dict[str, str]
    startsAt: str
    fingerprint: str
    annotations: dict[str, str] = {}
    generatorURL: str = ""


def refill(delivery: Delivery, parsed: ParsedDelivery, declared: Connections) -> ParsedDelivery:
    """The delivery with the alerts that its group also has now; unchanged, still marked, when that cannot be asked."""
    source = next(
        (s for s in declared.source if (s.kind, s.name) == (delivery.source.kind, delivery.source.name)), None
    )
    if not parsed.missing or source is None or not source.api_url:
        return parsed
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = client.get(source.api_url.rstrip("/") + "/api/v2/alerts", params={"active": "true"})
            answer.raise_for_status()
        active = msgspec.json.decode(answer.content[:LIMIT_BYTES], type=list[_Active])
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        log.warning("refill_failed", source=str(delivery.source), error=str(error))
        return parsed
    return _joined(delivery, parsed, active)


def _joined(delivery: Delivery, parsed: ParsedDelivery, active: list[_Active]) -> ParsedDelivery:
    """Only alerts of the same group: those that carry every label which the delivered ones have in common."""
    common = dict(set.intersection(*(set(a.labels.items()) for a in parsed.alerts))) if parsed.alerts else {}
    have = {a.identity for a in parsed.alerts}
    more = [a for a in active if a.fingerprint not in have and common.items() <= a.labels.items()]
    if not common or not more:
        return parsed
    body: dict[str, Any] = {"version": "4", "alerts": [{**msgspec.to_builtins(a), "status": "firing"} for a in more]}
    received = delivery.received_at.astimezone(UTC)
    extra = all_sources()[delivery.source.kind].parse(msgspec.json.encode(body), received).alerts
    missing = max(0, parsed.missing - len(extra))
    return ParsedDelivery((*parsed.alerts, *extra), parsed.group_key, missing, parsed.ticket_labels)
