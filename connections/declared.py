"""The connections that apply to a source or an incident: the record's, or those of its recording."""

from pathlib import Path

from domain.connections import Connections
from evidence.bundles import Bundle
from incidents import queries
from incidents.models import Incident, Source


def connections_for(source: Source) -> Connections:
    """The declared connections; for a recorded source, those of its bundle."""
    path = source.recorded_from
    return _bundle(path).connections if path else queries.connections()


def recording_of(incident: Incident) -> Bundle | None:
    """The bundle that answers for a replayed incident; None for a live one."""
    if not incident.recorded_from:
        return None
    source = queries.first_source(incident)
    path = source.recorded_from if source else ""
    return _bundle(path) if path else None


def _bundle(path: str) -> Bundle:
    return Bundle.load(Path(path))
