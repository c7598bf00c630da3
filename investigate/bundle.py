"""Makes a bundle of an incident in the record: its deliveries, its recorded answers, what people confirmed."""

from datetime import datetime

from connections import declared
from domain.errors import Refused
from evidence.bundles import Bundle, RecordedDelivery, Truth, unpack_answers, without_secrets
from incidents import queries
from incidents.models import Delivery, Incident


def bundle_of(incident: Incident) -> Bundle:
    """The incident as its newest investigation saw it. Raises Refused when there was none yet."""
    looked = queries.latest_investigation(incident)
    if looked is None or looked.as_of is None:
        raise Refused(f"incident #{incident.number} was not investigated yet; try again when it has a verdict")
    verdict, recording = queries.latest_verdict(incident), declared.recording_of(incident)
    deliveries = tuple(_recorded(row, _latest(incident, looked.as_of)) for row in queries.raw_deliveries(incident))
    return Bundle(
        title=incident.title,
        as_of=looked.as_of,
        connections=without_secrets(recording.connections if recording else queries.connections()),
        truth=_truth(incident),
        similar=verdict.similar if verdict else (),
        deliveries=deliveries,
        answers=unpack_answers(bytes(looked.answers)),
        changes=recording.changes if recording else tuple(queries.changes(incident)),
        alerts=_own(incident, deliveries),
    )


def _own(incident: Incident, deliveries: tuple[RecordedDelivery, ...]) -> tuple[str, ...]:
    senders = {(d.kind, d.name): d for d in deliveries}
    keys = queries.alert_keys(incident)
    return tuple(
        sorted({senders[kind, name].key(identity) for kind, name, identity in keys if (kind, name) in senders})
    )


def _latest(incident: Incident, as_of: datetime) -> datetime | None:
    """A recording played again was looked at in its own time, before its deliveries came in here."""
    return as_of if incident.recorded_from else None


def _recorded(row: Delivery, latest: datetime | None) -> RecordedDelivery:
    received_at = min(row.received_at, latest) if latest else row.received_at
    body = bytes(row.body).decode("utf-8", "replace")
    return RecordedDelivery(row.source.kind, row.source.name, received_at, dict(row.headers), body)


def _truth(incident: Incident) -> Truth | None:
    """What a person confirmed last, if anybody did."""
    said = queries.confirmations(incident).exclude(kind="rejected").first()
    return Truth(said.cause, "", said.by) if said else None
