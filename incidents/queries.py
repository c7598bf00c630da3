"""All reads of the record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Count, Prefetch, Q, QuerySet

from domain import codec
from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Connections
from domain.entities import EntityRef, Relation
from domain.errors import ProductError
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from domain.snapshot import AlertRecord, Confirmation, IncidentSnapshot
from domain.verdict import Verdict
from incidents import bulk
from incidents.assemble import scope_of
from incidents.investigations import latest_investigation
from incidents.models import (
    Alert,
    Change,
    Connection,
    Delivery,
    Entity,
    Feedback,
    Incident,
    Investigation,
    Source,
    TicketLink,
    VerdictRow,
)

LINKS_LOOKED_AT = 5_000
# How much of a raw body, which may have 8 MiB, a page shows.

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """The filters of the incident list; an empty one does not filter."""

    state: str = ""
    cause: str = ""
    entity: str = ""
    severity: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def incidents(wanted: IncidentFilter) -> QuerySet[Incident]:
    """The incidents that fit, newest first, without those that became part of another one."""
    rows = (
        Incident.objects.filter(merged_into=None)
        .order_by("-started_at", "-number")
        .prefetch_related(Prefetch("entities", Entity.objects.order_by("name", "pk")))
    )
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.cause:
        rows = rows.filter(first_cause="" if wanted.cause == "unknown" else wanted.cause)
    if wanted.severity in Severity.__members__.values():
        rows = rows.filter(severity__gte=Severity(wanted.severity).rank)
    if wanted.entity:
        rows = rows.filter(entities__name__icontains=wanted.entity).distinct()
    if wanted.text:
        rows = rows.filter(title__icontains=wanted.text)
    if wanted.since:
        rows = rows.filter(started_at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(started_at__lt=wanted.until)
    return rows


def incident(incident_id: str) -> Incident | None:
    """By id, or by number (`17` or `#17`)."""
    text = incident_id.removeprefix("#")
    try:
        if text.isdigit():
            return Incident.objects.filter(number=int(text[:9])).first()
        return Incident.objects.filter(pk=text).first()
    except (ValueError, ValidationError):
        return None


def survivor(row: Incident) -> Incident:
    """The incident that has this one's alerts now: itself, or the one that it was merged into."""
    return row.merged_into or row


@dataclass(frozen=True, slots=True)
class Ties:
    """What an incident was merged into and follows, and which ones were merged into it and follow it, by number."""

    merged_into: Incident | None
    merged: tuple[Incident, ...]
    follows: Incident | None
    followed_by: tuple[Incident, ...]


def ties(row: Incident) -> Ties:
    """How the incident is tied to others."""
    ends = [pk for pk in (row.merged_into_id, row.follows_id) if pk]
    rows = Incident.objects.filter(Q(merged_into=row) | Q(follows=row) | Q(pk__in=ends)).order_by("number")
    found = {one.pk: one for one in rows}
    return Ties(
        merged_into=found[row.merged_into_id] if row.merged_into_id else None,
        merged=tuple(one for one in found.values() if one.merged_into_id == row.pk),
        follows=found[row.follows_id] if row.follows_id else None,
        followed_by=tuple(one for one in found.values() if one.follows_id == row.pk),
    )


def latest_verdict(row: Incident) -> Verdict | None:
    """The newest revision."""
    newest = VerdictRow.objects.filter(incident=row).order_by("-revision").first()
    return codec.decode(newest.body, Verdict) if newest else None


def findings(row: Incident) -> list[Finding]:
    """The findings of the newest finished investigation."""
    newest = latest_investigation(row)
    return codec.decode(newest.findings, list[Finding]) if newest else []


_DECLARATIONS: dict[str, Any] = {f.name: get_args(f.type)[0] for f in msgspec.structs.fields(Connections)}


def connections() -> Connections:
    """Everything that was declared."""
    found: dict[str, list[Any]] = {}
    for row in Connection.objects.filter(kind__in=_DECLARATIONS).order_by("kind", "name"):
        if (declared := understood(row)) is not None:
            found.setdefault(row.kind, []).append(declared)
    return Connections(**found)


def understood(row: Connection) -> Any:
    """One declaration; None, with a line in the log, for one that this version cannot decode."""
    try:
        return msgspec.convert(row.config, _DECLARATIONS[row.kind])
    except msgspec.ValidationError as error:
        log.warning("declaration_not_understood", connection=f"{row.kind}:{row.name}", error=str(error))
        return None


def parsed_alerts(row: Incident) -> list[ParsedAlert]:
    """The incident's alerts as their sources reported them, with the record's state and times."""
    return [_with_stored_state(alert) for alert in row.alerts.order_by("started_at", "identity")]


def _with_stored_state(row: Alert) -> ParsedAlert:
    alert = codec.decode(row.parsed, ParsedAlert)
    state = AlertState.FIRING if row.firing else AlertState.RESOLVED
    return replace(alert, state=state, started_at=row.started_at, ended_at=row.ended_at)


def scope(row: Incident, declared: Connections, as_of: datetime, recorded: Sequence[ChangeRef] | None = None) -> Scope:
    """The scope of an investigation; `recorded` changes replace those in the record.

    Raises ProductError when the incident has no alerts.
    """
    alerts = parsed_alerts(row)
    if not alerts:
        raise ProductError("the incident has no alerts any more; it cannot be investigated")
    return scope_of(str(row.pk), alerts, declared, as_of, changes(row) if recorded is None else recorded)


def changes(row: Incident) -> list[ChangeRef]:
    """Changes shortly before the incident or during it."""
    return list(bulk.changes([row])[row.pk])


def known_changes(entity: str = "", since: datetime | None = None, until: datetime | None = None) -> QuerySet[Change]:
    """Reported changes, newest first, of entities whose key contains `entity`."""
    rows = Change.objects.order_by("-at", "-pk").prefetch_related("entities")
    if entity:
        rows = rows.filter(entities__key__icontains=entity).distinct()
    rows = rows.filter(at__gte=since) if since else rows
    return rows.filter(at__lt=until) if until else rows


def snapshot(incident_id: str, *, with_findings: bool = True) -> IncidentSnapshot:
    """One incident with everything that belongs to it. Raises Incident.DoesNotExist."""
    found = snapshots([incident_id], with_findings=with_findings)
    if not found:
        raise Incident.DoesNotExist(incident_id)
    return found[0]


def snapshots(ids: Sequence[str], *, with_findings: bool = True) -> list[IncidentSnapshot]:
    """Several incidents, in the order of `ids`; findings are large and are only read `with_findings`."""
    alerts = Prefetch("alerts", Alert.objects.defer("parsed").select_related("source").prefetch_related("entities"))
    wanted = Incident.objects.filter(pk__in=ids).select_related("merged_into")
    rows = list(wanted.prefetch_related("entities", "feedback", "tickets", alerts))
    keys = [row.pk for row in rows]
    around = _Around(
        bulk.verdicts(keys), bulk.findings(keys) if with_findings else {}, bulk.relations(rows), bulk.changes(rows)
    )
    found = {str(row.pk): _snapshot(row, around) for row in rows}
    return [found[str(i)] for i in ids if str(i) in found]


@dataclass(frozen=True, slots=True)
class _Around:
    """What is read for several incidents at once."""

    verdicts: dict[UUID, Verdict]
    findings: dict[UUID, tuple[Finding, ...]]
    relations: dict[UUID, tuple[Relation, ...]]
    changes: dict[UUID, tuple[ChangeRef, ...]]


def _snapshot(row: Incident, around: _Around) -> IncidentSnapshot:
    feedback = sorted(row.feedback.all(), key=lambda f: f.pk)
    return IncidentSnapshot(
        id=str(row.pk), number=row.number, title=row.title, state=row.state,
        severity=list(Severity)[row.severity], started_at=row.started_at, resolved_at=row.resolved_at,
        alerts=tuple(_alert(a) for a in row.alerts.all()),
        entities=tuple(sorted(EntityRef.from_key(e.key) for e in row.entities.all())),
        relations=around.relations[row.pk], findings=around.findings.get(row.pk, ()),
        verdict=around.verdicts.get(row.pk),
        confirmed=tuple(Confirmation(f.cause, f.by, f.at, f.fixed_by) for f in feedback if f.kind != "rejected"),
        rejected=tuple(sorted({f.cause for f in feedback if f.kind == "rejected"})),
        changes=around.changes[row.pk], tickets=tuple(sorted(t.key for t in row.tickets.all())),
        url=f"{settings.PUBLIC_URL}/incidents/{row.pk}/", recurrence_of=row.recurrence_of,
        acknowledged_by=row.acknowledged_by, assigned_to=row.assigned_to, reopened=row.reopened,
        merged_into=row.merged_into.number if row.merged_into else 0,
        merged_url=f"{settings.PUBLIC_URL}/incidents/{row.merged_into_id}/" if row.merged_into else "",
    )  # fmt: skip


def _alert(row: Alert) -> AlertRecord:
    return AlertRecord(
        str(row.pk), str(row.source), row.name, row.title, list(Severity)[row.severity],
        AlertState.FIRING if row.firing else AlertState.RESOLVED, row.started_at, row.ended_at,
        tuple(sorted(e.key for e in row.entities.all())), row.identity,
    )  # fmt: skip


def confirmations(row: Incident) -> QuerySet[Feedback]:
    """People's feedback on the incident's causes, newest first."""
    return Feedback.objects.filter(incident=row).order_by("-pk")


def find_for_ticket(keys: Sequence[str]) -> Incident | None:
    """The newest incident that one of these ticket keys or labels belongs to."""
    # In two steps: as one query the database walks all incidents from the newest until one fits, or none does.
    ids = list(TicketLink.objects.filter(key__in=list(keys)).values_list("incident_id", flat=True)[:LINKS_LOOKED_AT])
    return Incident.objects.filter(pk__in=ids).order_by("-started_at").first() if ids else None


def find_for_alert(identity: str) -> Incident | None:
    """The newest incident of an alert, by fingerprint or event id."""
    row = Alert.objects.filter(identity=identity, incident__isnull=False).order_by("-started_at").first()
    return row.incident if row else None


def incidents_of_recording(path: str) -> QuerySet[Incident]:
    """The incidents that a bundle's deliveries opened and that were not merged, in order of their numbers."""
    return Incident.objects.filter(recorded_from=path, merged_into=None).order_by("number")


def all_incident_ids() -> list[str]:
    """Ids of all incidents in order of their numbers."""
    return [str(pk) for pk in Incident.objects.order_by("number").values_list("pk", flat=True)]


def first_source(row: Incident) -> Source | None:
    """The source of the incident's first alert."""
    first = row.alerts.select_related("source").order_by("pk").first()
    return first.source if first else None


def known_identities(source: Source, identities: Sequence[str]) -> set[str]:
    """Those of the identities that the source has alerts of."""
    return set(Alert.objects.filter(source=source, identity__in=identities).values_list("identity", flat=True))


def firing_identities(source: Source, most: int) -> list[str]:
    """Identities of the source's alerts that fire, the newest first."""
    rows = Alert.objects.filter(source=source, firing=True).order_by("-started_at")
    return list(rows.values_list("identity", flat=True)[:most])


def alert_keys(row: Incident) -> list[tuple[str, str, str]]:
    """Source kind, source name and identity of each of the incident's alerts."""
    return list(row.alerts.values_list("source__kind", "source__name", "identity"))


def incidents_by_id(ids: Sequence[str]) -> dict[str, Incident]:
    """The incidents with these ids, by id."""
    return {str(pk): row for pk, row in Incident.objects.in_bulk(list(ids)).items()}


def with_verdict(ids: Sequence[str]) -> list[str]:
    """Those of the incidents that have a verdict."""
    rows = Incident.objects.filter(pk__in=ids).exclude(verdict_state="")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def first_causes() -> list[str]:
    """Every cause that stands first in some incident's verdict."""
    rows = Incident.objects.filter(merged_into=None).exclude(first_cause="").order_by()
    return list(rows.values_list("first_cause", flat=True).distinct())


def latest_change() -> tuple[datetime, str, int | None] | None:
    """Time and state of the newest alert's incident, and the newest verdict's number; None without incidents."""
    newest = Incident.objects.order_by("-last_alert_at").values_list("last_alert_at", "state").first()
    verdict = VerdictRow.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (*newest, verdict) if newest else None


def entities(keys: Sequence[str]) -> list[Entity]:
    """The entities with these keys."""
    return list(Entity.objects.filter(key__in=keys))


def alert_rows(row: Incident) -> QuerySet[Alert]:
    """The incident's alerts with their sources, in order of time."""
    return row.alerts.select_related("source").order_by("started_at", "pk")


def subjects(row: Incident) -> list[tuple[str, str]]:
    """Key and family of what the incident's alerts are about, each pair once, in order of the first alert."""
    found = row.alerts.filter(subject__isnull=False).order_by("started_at", "pk").values_list("subject__key", "family")
    return list(dict.fromkeys(found))


def look_times(row: Incident) -> set[datetime]:
    """When finished investigations looked at the incident."""
    times = row.investigations.filter(state="done", as_of__isnull=False).values_list("as_of", flat=True)
    return {at for at in times if at is not None}


def verdict_bodies(row: Incident, most: int) -> list[tuple[datetime, bytes]]:
    """Time and JSON of the incident's first verdicts, in order of their revisions."""
    rows = row.verdicts.order_by("revision").values_list("created_at", "body")[:most]
    return [(at, bytes(body)) for at, body in rows]


def verdict_count(row: Incident) -> int:
    """How many revisions the incident's verdict has."""
    return row.verdicts.count()


def counts_by_state() -> dict[str, dict[str, int]]:
    """Rows by state: of deliveries and investigations those that are not done, of incidents all but merged ones."""
    tables: dict[str, QuerySet[Any]] = {
        "deliveries": Delivery.objects.exclude(state="done"),
        "incidents": Incident.objects.filter(merged_into=None),
        "investigations": Investigation.objects.exclude(state="done"),
    }
    return {name: by_state(rows) for name, rows in tables.items()}


def by_state(rows: "QuerySet[Any]") -> dict[str, int]:
    """How many of the rows are in each state."""
    return {row["state"]: row["n"] for row in rows.order_by().values("state").annotate(n=Count("pk"))}
