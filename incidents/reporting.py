"""The report of a recorded incident, with what the record knows besides: servers that show a query, causes' titles."""

from django.conf import settings

from causes.catalogue import all_causes
from domain.snapshot import IncidentSnapshot
from incidents import queries
from tickets.report import Known, Report, build


def known() -> Known:
    """Addresses of the declared Prometheus servers, and the titles of the catalogue."""
    servers = {declared.name: declared.url for declared in queries.connections().prometheus}
    return Known(servers, {slug: cause.title for slug, cause in all_causes().items()})


def report_of(snapshot: IncidentSnapshot) -> Report:
    """What every target tells of the incident."""
    return build(snapshot, base_url=settings.PUBLIC_URL, known=known())
