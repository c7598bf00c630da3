"""Which incident an alert belongs to: one pure function, each answer with its reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.entities import Relation, RelationKind, named
from domain.text import Text

# Relations by which two entities are related through a common end: members of one cluster, pods of one workload.
# A common zone or host does not relate them.
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
    """The most recent candidate that fits, by the first rule that does: flapping, same entity, related entity, storm.

    `relations` is read only if the first two rules do not apply.
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
        if pair := _related_pair(newcomer.keys, candidate.keys, links):
            entity, other = map(named, pair)
            return Decision(candidate.id, Text("{entity} is related to {other}", entity=entity, other=other))
    opened = [c for c in near if c.quiet_since is None]
    if len(opened) >= rules.storm_cap:
        return Decision(opened[0].id, Text("storm: {number} incidents are open", number=len(opened)))
    return Decision("", Text("no open incident is related"))


def _near(newcomer: Newcomer, candidate: Candidate, rules: Rules) -> bool:
    if candidate.quiet_since is not None:
        since = newcomer.started_at - candidate.quiet_since
        return candidate.started_at - rules.window <= newcomer.started_at and since <= rules.reopen_window
    early, late = candidate.started_at - rules.window, candidate.last_alert_at + rules.window
    return early <= newcomer.started_at <= late or candidate.id == newcomer.earlier_incident


def _related_pair(ours: frozenset[str], theirs: frozenset[str], links: list[Relation]) -> tuple[str, str] | None:
    """The first pair of keys with a direct relation, or with the same cluster or workload above both."""
    return _directly_related(ours, theirs, links) or _below_one_parent(ours, theirs, links)


def _directly_related(ours: frozenset[str], theirs: frozenset[str], links: list[Relation]) -> tuple[str, str] | None:
    for link in sorted(links):
        if link.kind is RelationKind.IN_ZONE:
            continue
        if (link.start in ours and link.end in theirs) or (link.end in ours and link.start in theirs):
            return link.start, link.end
    return None


def _below_one_parent(ours: frozenset[str], theirs: frozenset[str], links: list[Relation]) -> tuple[str, str] | None:
    upward = [link for link in sorted(links) if link.kind in STANDS_FOR]
    our_parents = {link.end: link.start for link in upward if link.start in ours}
    for link in upward:
        if link.start in theirs and link.end in our_parents:
            return our_parents[link.end], link.start
    return None
