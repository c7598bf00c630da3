"""The report of a recorded incident, with what the record knows besides: servers that show a query, causes' titles."""

import re
from datetime import datetime

import msgspec
from django.conf import settings

from causes.catalogue import all_causes
from domain import codec
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from incidents import queries
from incidents.models import Incident
from tickets.postmortem import Times, draft
from tickets.report import Known, Report, build

# A stored verdict is read only so far, and so many of them.
REVISIONS = 100
NUMBERS = re.compile(r" \(\d+%\)\. ")


class StoredVerdict(msgspec.Struct):
    """Of a stored verdict what its line in a timeline needs."""

    headline: Text

    @property
    def claim(self) -> str:
        """Entity and cause, without the numbers behind them: a change of numbers alone is no other verdict."""
        return NUMBERS.split(self.headline.en)[0]


def known() -> Known:
    """Addresses of the declared Prometheus servers, and the titles of the catalogue."""
    servers = {declared.name: declared.url for declared in queries.connections().prometheus}
    return Known(servers, {slug: cause.title for slug, cause in all_causes().items()})


def changed_verdicts(row: Incident) -> list[tuple[datetime, Text]]:
    """Time and headline of the first verdict and of each later one with another claim, in order."""
    found: list[tuple[datetime, Text]] = []
    last = ""
    for at, body in queries.verdict_bodies(row, REVISIONS):
        verdict = codec.decode(bytes(body), StoredVerdict)
        if verdict.claim != last:
            found.append((at, verdict.headline))
        last = verdict.claim
    return found


def postmortem_of(row: Incident, language: str = "en") -> str:
    """The draft of the incident's postmortem, in Markdown."""
    times = Times(
        first_alert=row.started_at, opened=row.opened_at, suggested=row.suggested_at,
        acknowledged=row.acknowledged_at, acknowledged_by=row.acknowledged_by, resolved=row.resolved_at,
        reopened=row.reopened, verdicts=tuple(changed_verdicts(row)),
    )  # fmt: skip
    return draft(queries.snapshot(str(row.pk), with_findings=False), times, settings.PUBLIC_URL, language, known())


def report_of(snapshot: IncidentSnapshot, about: Known | None = None) -> Report:
    """The report that every target gets; `about` spares many reports the same look-up."""
    return build(snapshot, base_url=settings.PUBLIC_URL, known=about or known())
