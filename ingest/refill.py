"""Fetches the alerts that a sender left out, where the address of its Alertmanager is declared."""

from datetime import UTC
from typing import Any

import httpx
import msgspec
import structlog
from django.conf import settings

from domain.alerts import ParsedDelivery
from domain.connections import Access, Connections, SourceDecl
from domain.errors import Refused
from evidence.bounded import content_of
from evidence.ways import reading, way_to
from incidents.models import Delivery
from ingest.sources import all_sources

TIMEOUT_S = 5.0
log = structlog.get_logger()


class _Active(msgspec.Struct):
    labels: dict[str, str]
    startsAt: str
    fingerprint: str
    annotations: dict[str, str] = {}
    generatorURL: str = ""


def refill(delivery: Delivery, parsed: ParsedDelivery, declared: Connections) -> ParsedDelivery:
    """The delivery with the other alerts that its group has now; unchanged when the Alertmanager cannot be asked."""
    source = _declaration(delivery, declared)
    if not parsed.missing or source is None or not source.api_url:
        return parsed
    try:
        active = _active(source)
    except (httpx.HTTPError, msgspec.DecodeError, Refused) as error:
        log.warning("refill_failed", source=str(delivery.source), error=str(error))
        return parsed
    return _joined(delivery, parsed, active, source)


def _declaration(delivery: Delivery, declared: Connections) -> SourceDecl | None:
    own = (delivery.source.kind, delivery.source.name)
    return next((source for source in declared.source if (source.kind, source.name) == own), None)


def _active(source: SourceDecl) -> list[_Active]:
    """The alerts that fire now by the declared API; limited in size, with verified TLS, no proxies, no redirects."""
    own = Access(ca_file=source.ca_file, bearer_file=source.api_token_file, bearer_env=source.api_token_env)
    way = way_to(source.api_url, own, reading(settings.DECLARED_SECRET))
    client = httpx.Client(
        base_url=way.base_url, headers=way.headers, transport=way.transport, timeout=min(TIMEOUT_S, source.timeout_s),
        follow_redirects=False, trust_env=False,
    )  # fmt: skip
    with client, client.stream("GET", "api/v2/alerts", params={"active": "true"}) as answer:
        answer.raise_for_status()
        return msgspec.json.decode(content_of(answer), type=list[_Active])


def _joined(delivery: Delivery, parsed: ParsedDelivery, active: list[_Active], declared: SourceDecl) -> ParsedDelivery:
    """Add active alerts of the same group: those with every label that all delivered ones have in common."""
    common = dict(set.intersection(*(set(a.labels.items()) for a in parsed.alerts))) if parsed.alerts else {}
    have = {a.identity for a in parsed.alerts}
    more = [a for a in active if a.fingerprint not in have and common.items() <= a.labels.items()]
    if not common or not more:
        return parsed
    body: dict[str, Any] = {"version": "4", "alerts": [{**msgspec.to_builtins(a), "status": "firing"} for a in more]}
    received = delivery.received_at.astimezone(UTC)
    extra = all_sources()[delivery.source.kind].parse(msgspec.json.encode(body), received, declared).alerts
    missing = max(0, parsed.missing - len(extra))
    return ParsedDelivery((*parsed.alerts, *extra), parsed.group_key, missing, parsed.ticket_labels)
