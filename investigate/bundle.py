"""Makes a bundle of an incident in the record: its deliveries, its recorded answers, its confirmed cause."""

from datetime import datetime

from connections import declared
from domain import codec
from domain.errors import Refused
from domain.findings import Finding
from evidence.bundles import Bundle, RecordedDelivery, Truth, unpack_answers, without_secrets
from incidents import investigations, queries
from incidents.deliveries import raw_deliveries
from incidents.models import Delivery, Incident
from investigate.earlier import kept


def bundle_of(incident: Incident) -> Bundle:
    """The incident as its newest investigation saw it. Raises Refused when there was none, or no delivery is kept."""
    investigation = investigations.latest_investigation(incident)
    if investigation is None or investigation.as_of is None:
        raise Refused(f"incident #{incident.number} was not investigated yet; try again when it has a verdict")
    verdict, recording = queries.latest_verdict(incident), declared.recording_of(incident)
    latest = _latest_arrival(incident, investigation.as_of)
    deliveries = tuple(_recorded(row, latest) for row in raw_deliveries(incident))
    if not deliveries:
        raise Refused(f"no delivery of incident #{incident.number} is kept any more; it could not be replayed")
    return Bundle(
        title=incident.title,
        as_of=investigation.as_of,
        connections=without_secrets(recording.connections if recording else queries.connections()),
        truth=_truth(incident),
        similar=verdict.similar if verdict else (),
        deliveries=deliveries,
        answers=unpack_answers(bytes(investigation.answers)),
        changes=recording.changes if recording else tuple(queries.changes(incident)),
        alerts=_own_alerts(incident, deliveries),
        earlier=kept(codec.decode(investigation.findings, list[Finding])),
    )


def _own_alerts(incident: Incident, deliveries: tuple[RecordedDelivery, ...]) -> tuple[str, ...]:
    """Keys of the incident's own alerts, as a delivery may also contain alerts of other incidents."""
    senders = {(d.kind, d.name): d for d in deliveries}
    keys = queries.alert_keys(incident)
    own = {senders[kind, name].key(identity) for kind, name, identity in keys if (kind, name) in senders}
    return tuple(sorted(own))


def _latest_arrival(incident: Incident, as_of: datetime) -> datetime | None:
    """The latest time that a delivery may have; None for no limit.

    A replayed recording is investigated as of its own time, which is before its deliveries arrived here.
    """
    return as_of if incident.recorded_from else None


def _recorded(row: Delivery, latest: datetime | None) -> RecordedDelivery:
    received_at = min(row.received_at, latest) if latest else row.received_at
    body = bytes(row.body).decode("utf-8", "replace")
    return RecordedDelivery(row.source.kind, row.source.name, received_at, dict(row.headers), body)


def _truth(incident: Incident) -> Truth | None:
    """The cause that a person confirmed last, if anybody did."""
    confirmed = queries.confirmations(incident).exclude(kind="rejected").first()
    return Truth(confirmed.cause, "", confirmed.by) if confirmed else None
