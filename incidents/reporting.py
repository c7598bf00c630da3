"""The report of a recorded incident, with what the record knows besides: servers that show a query, causes' titles."""

from django.conf import settings

from causes.catalogue import all_causes
from domain.snapshot import IncidentSnapshot
from incidents import queries
from incidents.models import Incident
from tickets.postmortem import Times, draft
from tickets.report import Known, Report, build


def known() -> Known:
    """Addresses of the declared Prometheus servers, and the titles of the catalogue."""
    servers = {declared.name: declared.url for declared in queries.connections().prometheus}
    return Known(servers, {slug: cause.title for slug, cause in all_causes().items()})


def postmortem_of(row: Incident, language: str = "en") -> str:
    """The draft of the incident's postmortem, in Markdown."""
    times = Times(
        first_alert=row.started_at, opened=row.opened_at, suggested=row.suggested_at,
        acknowledged=row.acknowledged_at, acknowledged_by=row.acknowledged_by, resolved=row.resolved_at,
        reopened=row.reopened,
    )  # fmt: skip
    return draft(queries.snapshot(str(row.pk), with_findings=False), times, settings.PUBLIC_URL, language, known())


def report_of(snapshot: IncidentSnapshot, about: Known | None = None) -> Report:
    """What every target tells of the incident; `about` spares many reports the same look-up."""
    return build(snapshot, base_url=settings.PUBLIC_URL, known=about or known())
