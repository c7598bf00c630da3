"""Reads the stored alerts that a new one may be connected with: those near in time on the same or related entities."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q

from domain.entities import Relation, RelationKind
from incidents.entity_models import Entity, EntityRelation
from incidents.grouping import Member, Rules, connecting
from incidents.models import Alert, Incident

MEMBERS_MOST = 5000
# A zone is above everything and connects nothing.
FOLLOWED = [kind.value for kind in RelationKind if kind is not RelationKind.IN_ZONE]
COLUMNS = (
    "pk", "incident_id", "incident__number", "incident__state", "incident__closed_at", "subject__key", "family",
    "name", "started_at", "ended_at", "entities__key", "entities__relations__kind", "entities__relations__end__key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Around:
    """The relations that begin at some entities, and the ids of these entities and of those at the other ends."""

    relations: frozenset[Relation]
    ids: frozenset[int]


@dataclass(slots=True)
class _Row:
    """One stored alert with those of its entities and relations that were asked for."""

    values: Mapping[str, Any]
    keys: set[str] = field(default_factory=set)
    relations: set[Relation] = field(default_factory=set)


def around(stored: Iterable[Entity]) -> Around:
    """What is around these entities."""
    ids = {entity.pk for entity in stored}
    links = EntityRelation.objects.filter(start__in=ids, kind__in=FOLLOWED)
    found = list(links.values_list("start__key", "kind", "end__key", "end_id"))
    relations = frozenset(Relation(start, RelationKind(kind), end) for start, kind, end, _ in found)
    return Around(relations, frozenset(ids | {end for *_, end in found}))


def members_near(
    newcomer: Member, surroundings: Around, recorded: str, placed: Collection[str], rules: Rules
) -> list[Member]:
    """The alerts that the newcomer may be connected with, directly or through a third one.

    Only those of incidents of the same recording. `placed` are the ids of incidents whose times may not be up to date.
    """
    at, over = newcomer.started_at, newcomer.ended_at or newcomer.started_at
    begins = at - max(2 * rules.window, rules.reopen_window)
    ends = max(at + 2 * rules.window, over + rules.reopen_window)
    alive = Q(last_alert_at__gte=begins, started_at__lte=ends) | Q(pk__in=placed)
    incidents = Incident.objects.filter(alive, recorded_from=recorded).values("pk")
    late = Q(started_at__gte=begins) | Q(ended_at__gte=at - rules.reopen_window)
    named = Q(entities__in=surroundings.ids) | Q(entities__relations__end__in=surroundings.ids)
    rows = Alert.objects.filter(late, named, started_at__lte=ends, incident__in=incidents)
    return _members(rows.order_by("-started_at", "pk").values(*COLUMNS)[:MEMBERS_MOST])


def _members(rows: Iterable[Mapping[str, Any]]) -> list[Member]:
    """One member for each alert; the database gives one row for each of its entities and relations."""
    found: dict[int, _Row] = {}
    for values in rows:
        row = found.setdefault(values["pk"], _Row(values))
        row.keys.add(values["entities__key"])
        if values["entities__relations__kind"] in FOLLOWED:
            kind = RelationKind(values["entities__relations__kind"])
            row.relations.add(Relation(values["entities__key"], kind, values["entities__relations__end__key"]))
    return [_member(row) for row in found.values()]


def _member(row: _Row) -> Member:
    values = row.values
    keys = connecting(values["subject__key"] or "", row.keys)
    return Member(
        subject=values["subject__key"] or lone(row.keys), keys=keys, family=values["family"], name=values["name"],
        relations=frozenset(row.relations), started_at=values["started_at"], ended_at=_end(values),
        incident=str(values["incident_id"]), number=values["incident__number"],
    )  # fmt: skip


def lone(keys: Iterable[str]) -> str:
    """The one entity of an alert that has no subject, empty when it names several or none."""
    found = list(keys)
    return found[0] if len(found) == 1 else ""


def _end(values: Mapping[str, Any]) -> datetime | None:
    closed = values["incident__closed_at"] if values["incident__state"] == Incident.State.RESOLVED else None
    return over_at(values["started_at"], values["ended_at"], closed)


def over_at(started_at: datetime, ended_at: datetime | None, closed_at: datetime | None) -> datetime | None:
    """When an alert was over, None while it fires: at the latest when a person closed its incident."""
    if closed_at is None or started_at > closed_at:
        return ended_at
    return min(ended_at or closed_at, closed_at)


def open_incidents(at: datetime, recorded: str, rules: Rules) -> Iterator[str]:
    """Ids of incidents near this time of which an alert fires, the newest first, as many as make a storm."""
    fires = Alert.objects.filter(incident=OuterRef("pk"), firing=True)
    near = Q(last_alert_at__gte=at - rules.window, started_at__lte=at + rules.window)
    rows = Incident.objects.filter(near, Exists(fires), state=Incident.State.OPEN, recorded_from=recorded)
    newest = rows.order_by("-last_alert_at", "-number").values_list("pk", flat=True)
    yield from map(str, newest[: rules.storm_cap])
