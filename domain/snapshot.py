"""One incident with everything that belongs to it, as the graph and the reports get it from the record."""

from dataclasses import dataclass
from datetime import datetime

from domain.alerts import AlertState, Severity
from domain.entities import EntityRef, Relation
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One stored occurrence of an alert; `identity` is its source's id: fingerprint or event id."""

    id: str
    source: str
    name: str
    title: str
    severity: Severity
    state: AlertState
    started_at: datetime
    ended_at: datetime | None
    entities: tuple[str, ...]
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person confirmed this cause."""

    cause: str
    by: str
    at: datetime
    fixed_by: str = ""


@dataclass(frozen=True, slots=True)
class IncidentSnapshot:
    """Everything of one incident that the graph stores and a report may show.

    `state` is open or resolved. `merged_into` is the number of the incident that has its alerts now, 0 if it has them.
    """

    id: str
    number: int
    title: str
    state: str
    severity: Severity
    started_at: datetime
    resolved_at: datetime | None
    alerts: tuple[AlertRecord, ...]
    entities: tuple[EntityRef, ...]
    relations: tuple[Relation, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict | None
    confirmed: tuple[Confirmation, ...]
    rejected: tuple[str, ...]
    changes: tuple[ChangeRef, ...]
    tickets: tuple[str, ...]
    url: str = ""
    recurrence_of: str = ""
    acknowledged_by: str = ""
    assigned_to: str = ""
    reopened: int = 0
    merged_into: int = 0
    merged_url: str = ""
