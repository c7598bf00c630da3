"""What would be made of a body: parsed and placed like a delivery, and rolled back, so that nothing is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.declared import connections_for
from domain import codec
from domain.alerts import ParsedAlert, ParsedDelivery
from domain.entities import EntityRef
from domain.errors import Refused
from domain.text import Text
from incidents import deliveries, sources
from incidents.alerts import latest_occurrence
from incidents.burst import apply_burst
from incidents.correlate import next_number
from incidents.models import Alert, Delivery, Source
from ingest.sources import all_sources

MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """One alert of the body. `subject` is resolved by what is declared; `joins` is the incident that it would join.

    `reason` is why it would join or why nothing fits.
    """

    alert: ParsedAlert
    subject: EntityRef | None
    joins: int | None
    reason: Text | None

    def to_builtins(self) -> dict[str, Any]:
        """The contract's JSON."""
        ref, alert = self.subject, self.alert
        joins = {"incident": self.joins, "reason": self.reason.en if self.reason else ""}
        return {
            "name": alert.name, "title": alert.title, "state": str(alert.state), "subject": _parts(ref),
            "family": str(alert.family), "reporter": alert.reporter, "severity": str(alert.severity),
            "decided_by": alert.decided_by.en, "test": alert.test,
            "would_join": joins if self.joins is not None else None,
        }  # fmt: skip


def _parts(ref: EntityRef | None) -> dict[str, str] | None:
    if ref is None:
        return None
    return {"kind": str(ref.kind), "cluster": ref.cluster, "namespace": ref.namespace, "name": ref.name}


def preview(kind: str, body: bytes, received_at: datetime, name: str = "") -> list[Preview]:
    """Each alert of a body, as the source of that name would take it; of any source of the kind without a name.

    Raises Malformed for a body that would be parked, and Refused for an unknown kind or source or a too large body.
    """
    if kind not in all_sources():
        raise Refused(f"there is no source kind `{kind}`; it is one of {', '.join(all_sources())}")
    if len(body) > MOST_BYTES:
        raise Refused(f"the body is larger than {MOST_BYTES} bytes, as the door accepts; send less at once")
    with transaction.atomic():
        source = _source(kind, name)
        connections = connections_for(source)
        parsed = all_sources()[kind].parse(body, received_at, connections.source_of(kind, source.name))
        first_new = next_number()
        placed = ParsedDelivery(tuple(alert for alert in parsed.alerts if not alert.test))
        delivery = deliveries.accept(source, body, {}, received_at)
        apply_burst([(delivery, placed)], connections)
        found = [_previewed(alert, delivery, first_new) for alert in parsed.alerts]
        transaction.set_rollback(True)
    return found


def _source(kind: str, name: str) -> Source:
    """The source, or one that is gone with the rollback where none is made yet."""
    if name:
        if (found := sources.source(kind, name)) is None:
            raise Refused(f"there is no source {kind}/{name}; see `manage.py source list`")
        return found
    return sources.sources().filter(kind=kind).first() or sources.make_source(kind, "parse")[0]


def _previewed(alert: ParsedAlert, delivery: Delivery, first_new: int) -> Preview:
    row = None if alert.test else latest_occurrence(delivery.source, alert.identity)
    subject = EntityRef.from_key(row.subject.key) if row and row.subject else alert.subject
    if row is None or row.incident is None:
        return Preview(alert, subject, None, None)
    joins = row.incident.number if row.incident.number < first_new else None
    return Preview(alert, subject, joins, _reason(row))


def _reason(row: Alert) -> Text | None:
    return codec.convert(row.joined_because, Text) if row.joined_because else None
