"""Builds the scope of an investigation. Pure, so that a live investigation and a replay get the same scope."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from domain.alerts import AlertState, ParsedAlert
from domain.connections import Connections
from domain.entities import EntityRef, Relation
from domain.scope import ChangeRef, Scope
from incidents import identity


def scope_of(
    incident: str,
    alerts: Sequence[ParsedAlert],
    connections: Connections,
    as_of: datetime,
    changes: Iterable[ChangeRef] = (),
) -> Scope:
    """The scope of these alerts, frozen at `as_of`. Order and repetition of the alerts do not matter."""
    seen = [a for a in alerts if a.started_at <= as_of and a.state is not AlertState.UPDATE] or list(alerts)
    first = {(a.identity, a.started_at): a for a in sorted(seen, key=lambda a: a.state.value, reverse=True)}
    ends = {(a.identity, a.started_at): a.ended_at for a in seen if a.ended_at and a.ended_at <= as_of}
    ordered = tuple(replace(first[key], ended_at=ends.get(key)) for key in sorted(first))
    named: set[EntityRef] = set()
    relations = set(identity.declared(connections)[1])
    for alert in ordered:
        own = identity.resolve(alert.entities, connections, alert.labels)
        named |= set(own)
        relations |= set(identity.relations_from_alert(own, connections, alert.labels))
    return Scope(
        incident=incident,
        started_at=min(a.started_at for a in ordered),
        as_of=as_of,
        alerts=ordered,
        entities=identity.resolve(named, connections),
        connections=connections,
        relations=_touching(relations, tuple(named)),
        changes=tuple(sorted((c for c in changes if c.at <= as_of), key=lambda c: (c.at, c.id))),
    )


def _touching(relations: set[Relation], named: tuple[EntityRef, ...]) -> tuple[Relation, ...]:
    """Relations of the named entities, and of everything in the clusters that they belong to."""
    keys = {e.key for e in named}
    parents = {r.end for r in relations if r.start in keys} | keys
    members = {r.start for r in relations if r.end in parents}
    return tuple(sorted(r for r in relations if r.start in keys | members))
