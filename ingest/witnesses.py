"""Whom an investigation asks: the declared connections live, or the recorded answers of a bundle."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from domain.connections import Connections
from domain.scope import Scope
from evidence.bundles import Bundle
from evidence.collect import Collected, collect
from evidence.executors.runs import Runs
from evidence.recording import LiveTransports, ReplayTransports
from evidence.ways import reading
from incidents import queries
from incidents.models import Incident, Investigation, Source
from ingest import runs


@dataclass(frozen=True, slots=True)
class View:
    """A scope and the transports that answer its questions."""

    scope: Scope
    transports: LiveTransports | ReplayTransports

    def collect(self) -> Collected:
        """Every check that applies, each bounded in time."""
        return collect(self.scope, self.transports)


def connections_for(source: Source) -> Connections:
    """What was declared; for a recorded source, what its bundle declares."""
    path = source.recorded_from
    return _bundle(path).connections if path else queries.connections()


def recording_of(incident: Incident) -> Bundle | None:
    """The bundle that answers for a replayed incident; None for one that is asked about live."""
    if not incident.recorded_from:
        return None
    first = incident.alerts.select_related("source").order_by("pk").first()
    path = first.source.recorded_from if first else ""
    return _bundle(path) if path else None


def view_of(incident: Incident, investigation: Investigation) -> View:
    """How this incident is looked at now. Time in a replay is the recorded time."""
    if bundle := recording_of(incident):
        scope = queries.scope(incident, bundle.connections, bundle.as_of, bundle.changes)
        return View(scope, ReplayTransports(bundle.answers))
    declared = queries.connections()
    live = LiveTransports(declared, reading(settings.DECLARED_SECRET), Runs(runs.permit(str(incident.pk))))
    return View(queries.scope(incident, declared, _as_of(investigation)), live)


def _as_of(investigation: Investigation) -> datetime:
    return investigation.as_of or timezone.now()


def _bundle(path: str) -> Bundle:
    return Bundle.load(Path(path))
