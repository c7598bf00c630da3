"""Which incident an alert belongs to: one pure function, each answer with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.entities import Relation, RelationKind, named
from domain.text import Text

# A member stands for its cluster, a pod for its workload. Sharing a zone or a host is not being related.
STANDS_FOR = {RelationKind.MEMBER_OF, RelationKind.PART_OF}


@dataclass(frozen=True, slots=True)
class Rules:
    """Times and bounds of grouping."""

    window: timedelta = timedelta(minutes=15)
    reopen_window: timedelta = timedelta(minutes=10)
    storm_cap: int = 50


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The alert as grouping sees it. `earlier_incident` held an earlier occurrence of the same alert."""

    keys: frozenset[str]
    started_at: datetime
    earlier_incident: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that may be joined; `quiet_since` is when it was resolved, None while it is open."""

    id: str
    keys: frozenset[str]
    started_at: datetime
    last_alert_at: datetime
    quiet_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`incident` is empty when a new one is to be opened."""

    incident: str
    reason: Text


def group(newcomer: Newcomer, candidates: Sequence[Candidate], relations: Iterable[Relation], rules: Rules) -> Decision:
    """The nearest candidate that fits, in the order: flapping, same entity, related entity, storm.

    Relations are read only where it comes to them.
    """
    near = sorted((c for c in candidates if _near(newcomer, c, rules)), key=lambda c: (c.last_alert_at, c.id))[::-1]
    for candidate in near:
        if candidate.id == newcomer.earlier_incident:
            return Decision(candidate.id, Text("the same alert fired here before"))
    for candidate in near:
        if shared := sorted(newcomer.keys & candidate.keys):
            return Decision(candidate.id, Text("same entity, {entity}", entity=named(shared[0])))
    links = list(relations) if near else []
    for candidate in near:
        if link := _link(newcomer.keys, candidate.keys, links):
            return Decision(candidate.id, _related(*link))
    opened = [c for c in near if c.quiet_since is None]
    if len(opened) >= rules.storm_cap:
        return Decision(opened[0].id, Text("storm: {number} incidents are open", number=len(opened)))
    return Decision("", Text("no open incident is related"))


def _related(entity: str, other: str) -> Text:
    return Text("{entity} is related to {other}", entity=named(entity), other=named(other))


def _near(newcomer: Newcomer, candidate: Candidate, rules: Rules) -> bool:
    if candidate.quiet_since is not None:
        since = newcomer.started_at - candidate.quiet_since
        return candidate.started_at - rules.window <= newcomer.started_at and since <= rules.reopen_window
    early, late = candidate.started_at - rules.window, candidate.last_alert_at + rules.window
    return early <= newcomer.started_at <= late or candidate.id == newcomer.earlier_incident


def _link(ours: frozenset[str], theirs: frozenset[str], links: list[Relation]) -> tuple[str, str] | None:
    """A direct relation, or a thing that both stand for; the first in order."""
    for link in sorted(link for link in links if link.kind is not RelationKind.IN_ZONE):
        if (link.start in ours and link.end in theirs) or (link.end in ours and link.start in theirs):
            return link.start, link.end
    parents = [(link.end, link.start) for link in sorted(links) if link.kind in STANDS_FOR]
    our_parents = {end: start for end, start in parents if start in ours}
    for end, start in parents:
        if start in theirs and end in our_parents:
            return our_parents[end], start
    return None
