"""What an investigation asks: the declared connections, or the recorded answers of a bundle."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from connections.declared import recording_of
from domain.scope import Scope
from evidence.collect import Collected, collect
from evidence.executors.runs import Runs
from evidence.recording import LiveTransports, ReplayTransports
from evidence.ways import reading
from incidents import queries
from incidents.models import Incident, Investigation
from investigate import permits


@dataclass(frozen=True, slots=True)
class IncidentScope:
    """A scope, and the transports that its checks ask."""

    scope: Scope
    transports: LiveTransports | ReplayTransports

    def collect(self) -> Collected:
        """Every check that applies, each bounded in time."""
        return collect(self.scope, self.transports)


def scope_of_incident(incident: Incident, investigation: Investigation) -> IncidentScope:
    """The scope and transports for this incident. A replayed incident has the time of its recording."""
    if bundle := recording_of(incident):
        scope = queries.scope(incident, bundle.connections, bundle.as_of, bundle.changes)
        return IncidentScope(scope, ReplayTransports(bundle.answers))
    declared = queries.connections()
    live = LiveTransports(declared, reading(settings.DECLARED_SECRET), Runs(permits.permit(str(incident.pk))))
    return IncidentScope(queries.scope(incident, declared, _as_of(investigation)), live)


def _as_of(investigation: Investigation) -> datetime:
    return investigation.as_of or timezone.now()
