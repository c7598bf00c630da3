"""Reads the stored alerts that a new one may be connected with: those near in time on the same or related entities."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from domain.entities import Relation, RelationKind
from incidents.entity_models import Entity, EntityRelation
from incidents.grouping import Member, Rules, connecting
from incidents.models import Alert, Incident

MEMBERS_MOST, INCIDENTS_MOST = 5000, 1000
# How far apart alerts that come together begin, as a rule.
TOGETHER = timedelta(minutes=3)
# A zone is above everything and connects nothing.
FOLLOWED = [kind.value for kind in RelationKind if kind is not RelationKind.IN_ZONE]
COLUMNS = (
    "pk", "incident_id", "subject__key", "family", "name", "started_at", "ended_at", "entities__pk", "entities__key",
    "entities__relations__kind", "entities__relations__end", "entities__relations__end__key",
)  # fmt: skip
# The incidents that may be joined, by id.
Alive = Mapping[UUID, Incident]


@dataclass(frozen=True, slots=True)
class Around:
    """The relations that begin at some entities, and the ids of these entities and of those at the other ends."""

    relations: frozenset[Relation]
    ids: frozenset[int]


class Span(NamedTuple):
    """The time in which alerts may begin, or incidents end, that a newcomer may be connected with."""

    begins: datetime
    ends: datetime


@dataclass(slots=True)
class _Row:
    """One stored alert with those of its entities and relations that were asked for."""

    values: Mapping[str, Any]
    keys: set[str] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)
    relations: set[Relation] = field(default_factory=set)


def span_of(newcomer: Member, rules: Rules) -> Span:
    """Twice the window, as two alerts may be connected through a third one, and the time to reopen."""
    at, over = newcomer.started_at, newcomer.ended_at or newcomer.started_at
    begins = at - max(2 * rules.window, rules.reopen_window)
    return Span(begins, max(at + 2 * rules.window, over + rules.reopen_window))


def around(stored: Iterable[Entity]) -> Around:
    """What is around these entities."""
    ids = {entity.pk for entity in stored}
    links = EntityRelation.objects.filter(start__in=ids, kind__in=FOLLOWED)
    found = list(links.values_list("start__key", "kind", "end__key", "end_id"))
    relations = frozenset(Relation(start, RelationKind(kind), end) for start, kind, end, _ in found)
    return Around(relations, frozenset(ids | {end for *_, end in found}))


def alive_incidents(span: Span, recorded: str) -> list[Incident]:
    """The incidents of the same recording that have alerts in this time."""
    alive = Incident.objects.filter(last_alert_at__gte=span.begins, started_at__lte=span.ends, recorded_from=recorded)
    return list(alive.order_by("-last_alert_at")[:INCIDENTS_MOST])


def widened(span: Span) -> Span:
    """A longer time, so that alerts that come together are looked for once."""
    return Span(span.begins - TOGETHER, span.ends + TOGETHER)


def members_near(span: Span, ids: Iterable[int], alive: Alive) -> dict[int, list[Member]]:
    """The alerts of these incidents in this time, by the entities that they are on or hang on.

    An alert on several of these entities is a member of each, with what was asked for.
    """
    wanted = list(ids)
    late = Q(started_at__gte=span.begins) | Q(ended_at__gte=span.begins)
    named = Q(entities__in=wanted) | Q(entities__relations__end__in=wanted)
    rows = Alert.objects.filter(late, named, started_at__lte=span.ends, incident__in=alive)
    found: dict[int, list[Member]] = {pk: [] for pk in wanted}
    for row in _rows(rows.order_by("-started_at", "pk").values(*COLUMNS)[:MEMBERS_MOST]):
        member = _member(row, alive[row.values["incident_id"]])
        for pk in row.ids & found.keys():
            found[pk].append(member)
    return found


def _rows(rows: Iterable[Mapping[str, Any]]) -> Iterable[_Row]:
    """One row for each alert; the database gives one for each of its entities and relations."""
    found: dict[int, _Row] = {}
    for values in rows:
        row = found.setdefault(values["pk"], _Row(values))
        row.keys.add(values["entities__key"])
        row.ids.add(values["entities__pk"])
        if values["entities__relations__kind"] in FOLLOWED:
            kind = RelationKind(values["entities__relations__kind"])
            row.relations.add(Relation(values["entities__key"], kind, values["entities__relations__end__key"]))
            row.ids.add(values["entities__relations__end"])
    return found.values()


def _member(row: _Row, incident: Incident) -> Member:
    values = row.values
    closed_at = incident.closed_at if incident.state == Incident.State.RESOLVED else None
    return Member(
        subject=values["subject__key"] or lone(row.keys), keys=connecting(values["subject__key"] or "", row.keys),
        family=values["family"], name=values["name"], relations=frozenset(row.relations),
        started_at=values["started_at"], ended_at=over_at(values["started_at"], values["ended_at"], closed_at),
        incident=str(incident.pk), number=incident.number,
    )  # fmt: skip


def lone(keys: Iterable[str]) -> str:
    """The one entity of an alert that has no subject, empty when it names several or none."""
    found = list(keys)
    return found[0] if len(found) == 1 else ""


def over_at(started_at: datetime, ended_at: datetime | None, closed_at: datetime | None) -> datetime | None:
    """When an alert was over, None while it fires: at the latest when a person closed its incident."""
    if closed_at is None or started_at > closed_at:
        return ended_at
    return min(ended_at or closed_at, closed_at)


def open_incidents(at: datetime, alive: Alive, rules: Rules) -> Iterator[str]:
    """Ids of the incidents near this time of which an alert fires, the newest first; none where they are no storm."""
    early, late = at - rules.window, at + rules.window
    near = [row for row in alive.values() if row.last_alert_at >= early and row.started_at <= late]
    opened = [row for row in near if row.state == Incident.State.OPEN]
    if len(opened) < rules.storm_cap:
        return
    fires = set(Alert.objects.filter(incident__in=opened, firing=True).values_list("incident", flat=True))
    newest = sorted(opened, key=lambda row: (row.last_alert_at, row.number), reverse=True)
    yield from (str(row.pk) for row in newest if row.pk in fires)
