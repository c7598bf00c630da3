"""The scope of an investigation: the input of every check and of the ranking."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.alerts import ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation
from domain.text import Text


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
class FaultTime:
    """When the fault began and ended, and how that is known; `ended` is None while nothing says that it is over.

    `query` can be pasted to check `began`; it is empty where no server told it.
    """

    began: datetime
    ended: datetime | None
    known_by: Text
    query: str = ""
    connection: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """An incident as of one time: checks ask for nothing after `as_of`, and nothing in them reads the clock.

    `fault` is None until the witnesses of its times were asked.
    """

    incident: str
    started_at: datetime
    as_of: datetime
    alerts: tuple[ParsedAlert, ...]
    entities: tuple[EntityRef, ...]
    connections: Connections
    relations: tuple[Relation, ...] = ()
    changes: tuple[ChangeRef, ...] = field(default_factory=tuple)
    fault: FaultTime | None = None

    def of_kind(self, kind: EntityKind) -> tuple[EntityRef, ...]:
        """The entities of one kind, in key order."""
        return tuple(sorted(e for e in self.entities if e.kind is kind))
