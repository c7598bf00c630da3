"""Finds similar earlier incidents, scores them and gives the reasons.

The graph finds candidates by shared causes, findings, entities and neighbouring entities. The score is computed here,
so that the same graph gives the same numbers on every server.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from domain.entities import named
from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text, enumerated, verbatim
from graph import queries
from graph.cypher import Query
from graph.project import alert_names, cause_probabilities, epoch_ms, finding_ids

Read = Callable[..., list[dict[str, Any]]]
# The name of a cause or a measure, by its slug; without an entry the slug itself is used.
Words = Mapping[str, Text]
_NO_WORDS: Words = MappingProxyType({})

# The weight of each part of the score. Parts that the asking incident does not have are left out and the others scaled
# up, so that an incident without a verdict is compared by its findings and entities.
_WEIGHTS = {"causes": 0.35, "findings": 0.30, "entities": 0.15, "alerts": 0.12, "topology": 0.08}
# A finding that was not observed in either incident counts less than one observed in both.
_ABSENCE = 0.25
_PER_ROUTE = 100
_COMPARED = 120
_STRONGEST_FINDINGS = 6
_LOWEST_SCORE = 0.05
_NEIGHBOURS = 200
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """What incidents are compared by: causes with probabilities, ids of findings, keys of entities, names of alerts."""

    causes: dict[str, float]
    findings: frozenset[str]
    entities: frozenset[str]
    alerts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Route:
    """One way to candidates: a query, its parameter with the values, and the part of the score that it counts for."""

    query: Query
    parameter: str
    values: list[str]
    part: str


def similar(
    read: Read, snapshot: IncidentSnapshot, limit: int, words: Words = _NO_WORDS
) -> tuple[SimilarIncident, ...]:
    """The best `limit` incidents that began no later than this one, the most alike first."""
    ours = profile_of(snapshot)
    neighbours = _neighbours(read, ours)
    ids = _candidates(read, snapshot, ours, neighbours)
    scored = [_scored(ours, neighbours, row, words) for row in read(queries.PROFILES, ids=ids)]
    close = [(found, row) for found, row in scored if found.score >= _LOWEST_SCORE]
    close.sort(key=lambda pair: (-pair[0].score, not pair[0].confirmed, -pair[1], pair[0].incident))
    return tuple(found for found, _ in close[:limit])


def profile_of(snapshot: IncidentSnapshot) -> Profile:
    """The profile of the asking incident."""
    return Profile(
        cause_probabilities(snapshot),
        frozenset(finding_ids(snapshot)),
        frozenset(entity.key for entity in snapshot.entities),
        frozenset(alert_names(snapshot)),
    )


def _neighbours(read: Read, ours: Profile) -> frozenset[str]:
    """Entities directly related to ours, without zones, as every host is in one."""
    rows = read(queries.NEIGHBOURS, entities=sorted(ours.entities), limit=_NEIGHBOURS)
    return frozenset(row["id"] for row in rows) - ours.entities


def _candidates(read: Read, snapshot: IncidentSnapshot, ours: Profile, neighbours: frozenset[str]) -> list[str]:
    """Ids of the incidents to compare with, sorted: the `_COMPARED` best of up to `_PER_ROUTE` by each route."""
    bounds = {
        "incident": snapshot.id,
        "before_ms": epoch_ms(snapshot.started_at),
        "limit": _PER_ROUTE,
    }
    votes: dict[str, float] = {}
    started_ms: dict[str, int] = {}
    for route in _routes(snapshot, ours, neighbours):
        if not route.values:
            continue
        for row in read(route.query, **{route.parameter: route.values}, **bounds):
            share = row["hits"] / len(route.values)
            votes[row["id"]] = votes.get(row["id"], 0.0) + _WEIGHTS[route.part] * share
            started_ms[row["id"]] = row["started_ms"]
    # A comparison costs more than a query: only the incidents with the most votes are compared.
    best = sorted(votes, key=lambda id_: (-round(votes[id_], 9), -started_ms[id_], id_))
    return sorted(best[:_COMPARED])


def _routes(snapshot: IncidentSnapshot, ours: Profile, neighbours: frozenset[str]) -> tuple[_Route, ...]:
    causes = list(ours.causes)[:3]
    return (
        _Route(queries.BY_CONFIRMED, "causes", causes, "causes"),
        _Route(queries.BY_RANKED, "causes", causes, "causes"),
        _Route(queries.BY_FINDING, "findings", _strongest(snapshot, ours), "findings"),
        _Route(queries.BY_ENTITY, "entities", sorted(ours.entities), "entities"),
        _Route(queries.BY_ENTITY, "entities", sorted(neighbours), "topology"),
    )


def _strongest(snapshot: IncidentSnapshot, ours: Profile) -> list[str]:
    """The observed findings with the most weight in the verdict; a query over all of them would be slow."""
    weights: dict[str, float] = {}
    for cause in snapshot.verdict.causes if snapshot.verdict else ():
        for term in cause.terms:
            weights[term.measure] = max(weights.get(term.measure, 0.0), abs(term.weight))
    observed = [id_ for id_ in ours.findings if id_.endswith(":yes")]
    observed.sort(key=lambda id_: (-weights.get(id_.rpartition(":")[0], 0.0), id_))
    return observed[:_STRONGEST_FINDINGS]


def _scored(
    ours: Profile, neighbours: frozenset[str], row: dict[str, Any], words: Words
) -> tuple[SimilarIncident, int]:
    """One candidate with its score and reasons, and when it began."""
    theirs = Profile(
        dict(zip(row["causes"], row["probabilities"], strict=True)),
        frozenset(row["findings"]),
        frozenset(row["entities"]),
        frozenset(row["alerts"]),
    )
    score, why = compare(ours, theirs, neighbours, bool(row["confirmed"]), words)
    found = SimilarIncident(
        incident=row["id"],
        title=row["title"],
        score=score,
        why=why,
        cause=next(iter(theirs.causes), ""),
        confirmed=bool(row["confirmed"]),
        fixed_by=row["fixed_by"] or "",
        minutes=_minutes(row["started_ms"], row["resolved_ms"]),
        url=row["url"] or "",
        recurrence_of=row["recurrence_of"] or "",
    )
    return found, row["started_ms"]


def compare(
    ours: Profile, theirs: Profile, neighbours: frozenset[str], confirmed: bool, words: Words = _NO_WORDS
) -> tuple[float, tuple[Text, ...]]:
    """Score 0..1, higher is more alike, and the reasons, the weightiest first."""
    parts = {
        "causes": _causes(ours, theirs, confirmed, words),
        "findings": _findings(ours, theirs, words),
        "entities": _entities(ours, theirs),
        "alerts": _alerts(ours, theirs),
        "topology": _topology(ours, theirs, neighbours),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    total = sum(_WEIGHTS[name] for name in known)
    if not total:
        return 0.0, ()
    shares = {name: _WEIGHTS[name] * likeness / total for name, (likeness, _) in known.items()}
    order = sorted((name for name in known if shares[name] > 0), key=lambda name: (-shares[name], name))
    return round(sum(shares.values()), 4), tuple(known[name][1] for name in order)


_Part = tuple[float, Text] | None


def _causes(ours: Profile, theirs: Profile, confirmed: bool, words: Words) -> _Part:
    if not ours.causes:
        return None
    shared = {slug: min(p, theirs.causes[slug]) for slug, p in ours.causes.items() if slug in theirs.causes}
    best = max(shared, key=lambda slug: (shared[slug], slug), default="")
    if confirmed:
        why = Text("Its confirmed cause, {cause}, has {share} here.")
    else:
        why = Text("Both rank {cause}, here with {share}.")
    share = f"{ours.causes.get(best, 0.0):.0%}"
    return min(sum(shared.values()), 1.0), why.format(cause=_word(best, words), share=share)


def _findings(ours: Profile, theirs: Profile, words: Words) -> _Part:
    if not ours.findings:
        return None
    shared = ours.findings & theirs.findings
    likeness = _mass(shared) / _mass(ours.findings | theirs.findings)
    seen = sorted(id_.rpartition(":")[0] for id_ in shared if id_.endswith(":yes"))
    if not seen:
        text = Text("{n} things were looked for and found in neither.")
        return likeness, text.format(n=len(shared))
    text = Text("{n} findings in common, seen in both: {names}.")
    return likeness, text.format(n=len(shared), names=_listed([_word(slug, words) for slug in seen]))


def _mass(findings: frozenset[str]) -> float:
    seen = sum(1 for id_ in findings if id_.endswith(":yes"))
    return seen + _ABSENCE * (len(findings) - seen)


def _entities(ours: Profile, theirs: Profile) -> _Part:
    if not ours.entities:
        return None
    shared = ours.entities & theirs.entities
    text = Text("{n} of {all} affected things are the same: {names}.")
    why = text.format(n=len(shared), all=len(ours.entities), names=_listed(_entity_names(shared)))
    return len(shared) / len(ours.entities), why


def _alerts(ours: Profile, theirs: Profile) -> _Part:
    if not ours.alerts:
        return None
    shared = sorted(ours.alerts & theirs.alerts)
    why = Text("The same alerts came: {names}.")
    return len(shared) / len(ours.alerts | theirs.alerts), why.format(names=_listed([verbatim(n) for n in shared]))


def _topology(ours: Profile, theirs: Profile, neighbours: frozenset[str]) -> _Part:
    if not neighbours:
        return None
    shared = neighbours & theirs.entities
    text = Text("It touched what hangs directly on ours: {names}.")
    return min(len(shared) / len(ours.entities), 1.0), text.format(names=_listed(_entity_names(shared)))


def _word(slug: str, words: Words) -> Text:
    return words.get(slug) or verbatim(slug)


def _entity_names(keys: Iterable[str]) -> list[Text]:
    """Entities in words, in the order of their keys."""
    return [named(key) for key in sorted(keys)]


def _listed(names: Sequence[Text]) -> Text:
    """The first names as one text, with the number of those left out."""
    first = enumerated(names[:_NAMED]) if names else Text("")
    return Text("{names} (+{more})", names=first, more=len(names) - _NAMED) if len(names) > _NAMED else first


def _minutes(started_ms: int, resolved_ms: int | None) -> int | None:
    return None if resolved_ms is None else max(0, (resolved_ms - started_ms) // 60_000)
