"""The scope of an investigation: the input of every check and of the ranking."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.alerts import ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation


@dataclass(frozen=True, slots=True)
class ChangeRef:
    """A deploy, commit or configuration change near the incident."""

    id: str
    kind: str
    title: str
    at: datetime
    entities: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """An incident as of one time: checks ask for nothing after `as_of`, and nothing in them reads the clock."""

    incident: str
    started_at: datetime
    as_of: datetime
    alerts: tuple[ParsedAlert, ...]
    entities: tuple[EntityRef, ...]
    connections: Connections
    relations: tuple[Relation, ...] = ()
    changes: tuple[ChangeRef, ...] = field(default_factory=tuple)

    def of_kind(self, kind: EntityKind) -> tuple[EntityRef, ...]:
        """The entities of one kind, in key order."""
        return tuple(sorted(e for e in self.entities if e.kind is kind))
