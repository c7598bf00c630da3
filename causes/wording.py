"""The sentences of a verdict: headline, history, what is missing, and which answers would separate the leaders."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from causes.cause import Condition, Term
from causes.culprit import display_name
from causes.questions import question
from causes.score import NOT_ASKED, ScoredCause
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.text import Text
from domain.verdict import Outcome, TermResult, VerdictState

# Bounds and weights in nats.
HISTORY_BOUND = 1.0
HISTORY_WEIGHT = 0.5
MODEL_BOUND = 0.5
CONTRIBUTING = -1.5
# A past incident counts from this similarity on, 0 to 1.
LEAST_SIMILARITY = 0.3
# An unanswered question matters when its answer could move a score by this much, in nats.
LEAST_SPAN = 1.0
MOST_CANDIDATES = 3
# The kinds that a headline names, the most specific first.
HEADLINE_KINDS = (
    EntityKind.ETCD_MEMBER, EntityKind.ETCD_CLUSTER, EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE,
    EntityKind.HOST, EntityKind.ZONE, EntityKind.CLUSTER,
)  # fmt: skip


def history_term(slug: str, similar: Sequence[SimilarIncident]) -> TermResult | None:
    """At most 1 nat for confirmed similar incidents with this cause; None when there are none.

    The recurrences of one incident count once, with the best similarity among them.
    """
    best: dict[str, float] = {}
    for past in similar:
        if past.confirmed and past.cause == slug and past.score >= LEAST_SIMILARITY:
            origin = past.recurrence_of or past.incident
            best[origin] = max(best.get(origin, 0.0), past.score)
    if not best:
        return None
    weight = round(min(HISTORY_BOUND, HISTORY_WEIGHT * sum(sorted(best.values()))), 4)
    sentence = _history_sentence(len(best), max(best.values()))
    return TermResult("history", Outcome.FOR, weight, sentence, value=float(len(best)))


def _history_sentence(incidents: int, top: float) -> Text:
    if incidents == 1:
        return Text("Confirmed as the cause of 1 similar past incident; the closest scores {top:.2f}.", top=top)
    return Text(
        "Confirmed as the cause of {incidents} similar past incidents; the closest scores {top:.2f}.",
        incidents=incidents,
        top=top,
    )


def model_term(log_odds: float) -> TermResult | None:
    """The learnt model's opinion, at most half a nat either way; None when it has none."""
    weight = round(max(-MODEL_BOUND, min(MODEL_BOUND, log_odds)), 3)
    if not weight:
        return None
    outcome = Outcome.FOR if weight > 0 else Outcome.AGAINST
    sentence = Text("The learnt model speaks for it.") if weight > 0 else Text("The learnt model speaks against it.")
    return TermResult("model", outcome, weight, sentence, value=weight, limit=MODEL_BOUND)


def contributing_term(other: Text) -> TermResult:
    """What a cause that only makes a stronger one worse loses as its rival: 1.5 nats."""
    sentence = Text('It makes "{other}" worse and is not its rival.', other=other)
    return TermResult("contributes", Outcome.AGAINST, CONTRIBUTING, sentence)


def headline(
    scope: Scope,
    state: VerdictState,
    named: Sequence[ScoredCause],
    share: float,
    culprit: EntityRef | None = None,
    mostly_unanswered: bool = False,
) -> Text:
    """One sentence that names the culprit, the first cause with its probability `share`, and the strongest evidence.

    `mostly_unanswered` marks a verdict for which most of the questions had no answer.
    """
    who = display_name(culprit) if culprit and state is not VerdictState.UNKNOWN else entity_name(scope)
    if not named and mostly_unanswered:
        return Text("{who}: unknown; most of what was asked had no answer.", who=who)
    if not named:
        return Text("{who}: unknown; no check found evidence for a known cause.", who=who)
    if state is VerdictState.UNKNOWN:
        candidates = _alternatives([c.cause.title for c in named[:MOST_CANDIDATES]])
        return Text("{who}: not decided; candidates: {named}.", who=who, named=candidates)
    why = _strongest_evidence(named[0]).sentence
    return Text("{who}: {first} ({share:.0%}). {why}", who=who, first=named[0].cause.title, share=share, why=why)


def _alternatives(titles: Sequence[Text]) -> Text:
    """One to three titles in quotes, because titles are clauses."""
    match list(titles):
        case [first]:
            return Text('"{first}"', first=first)
        case [first, second]:
            return Text('"{first}" or "{second}"', first=first, second=second)
    first, second, third = titles
    return Text('"{first}", "{second}" or "{third}"', first=first, second=second, third=third)


def entity_name(scope: Scope) -> str:
    """The most specific entity of the incident; the first alert's title when there is none."""
    if scope.entities:
        return display_name(min(scope.entities, key=lambda e: (HEADLINE_KINDS.index(e.kind), e.key)))
    return min((alert.title or alert.name for alert in scope.alerts), default="incident")


def _strongest_evidence(scored: ScoredCause) -> TermResult:
    """The heaviest supporting term; an observation goes before an absence, which only rules out others."""
    conditions = {term.measure: term.when for term in scored.cause.terms}
    supporting = [t for t in scored.terms if t.outcome is Outcome.FOR and t.measure in conditions]
    return max(supporting, key=lambda t: (conditions[t.measure] is not Condition.NOT_SEEN, t.weight, t.measure))


def missing(scored: Sequence[ScoredCause], findings: Mapping[str, Finding], limit: int = 8) -> tuple[Text, ...]:
    """At most `limit` questions without an answer that could have moved one of these causes by 1 nat.

    Questions that were asked come first, then those with the largest span.
    """
    spans: dict[str, float] = {}
    for cause in scored:
        for measure, span in _open_spans(cause).items():
            spans[measure] = max(spans.get(measure, 0.0), span)
    wanted = [measure for measure, span in spans.items() if span >= LEAST_SPAN]
    wanted.sort(key=lambda measure: (measure not in findings, -spans[measure], measure))
    return tuple(_unanswered(measure, findings.get(measure)) for measure in wanted[:limit])


def _unanswered(measure: str, finding: Finding | None) -> Text:
    why = (finding.why_unknown if finding else None) or NOT_ASKED
    return Text("{asked} ({why})", asked=question(measure), why=why)


def _open_spans(scored: ScoredCause) -> dict[str, float]:
    """Span in nats by measure of the terms without an answer; one reading of a measurement answers all of them."""
    outcomes = {t.measure: t.outcome for t in scored.terms}
    terms = scored.cause.terms
    answered = {t.counted_as for t in terms if outcomes.get(t.measure) is not Outcome.UNKNOWN}
    return {t.measure: t.span for t in terms if t.counted_as not in answered}


def tell_apart(named: Sequence[ScoredCause], limit: int = 3) -> tuple[Text, ...]:
    """At most `limit` open questions whose answers would move the two leaders furthest apart."""
    if len(named) < 2:
        return ()
    first, second = named[0], named[1]
    measures = _separating_measures(first, second)[:limit]
    return tuple(_separating_question(measure, first, second) for measure in measures)


def next_question(named: Sequence[ScoredCause], possible: Sequence[ScoredCause]) -> Text | None:
    """The open question that would decide most: between the two leaders, or for the first cause that has any."""
    if len(named) > 1 and (separating := _separating_measures(named[0], named[1])):
        return question(separating[0])
    for scored in (*named, *possible):
        if spans := _open_spans(scored):
            return question(min(spans, key=lambda measure: (-spans[measure], measure)))
    return None


def _separating_measures(first: ScoredCause, second: ScoredCause) -> list[str]:
    """The open measures that could move the two apart by 1 nat, the largest gap first."""
    first_weights, second_weights = _open_weights(first), _open_weights(second)
    gaps = {
        measure: _gap(first_weights.get(measure, NO_WEIGHTS), second_weights.get(measure, NO_WEIGHTS))
        for measure in first_weights.keys() | second_weights.keys()
    }
    wide = [measure for measure, gap in gaps.items() if gap >= LEAST_SPAN]
    return sorted(wide, key=lambda measure: (-gaps[measure], measure))


def _separating_question(measure: str, first: ScoredCause, second: ScoredCause) -> Text:
    return Text(
        '{asked} The answer tells "{first}" from "{second}".',
        asked=question(measure),
        first=first.cause.title,
        second=second.cause.title,
    )


class _Weights(NamedTuple):
    """What a measure adds to a score, in nats, if it is seen and if it is not."""

    seen: float
    not_seen: float


NO_WEIGHTS = _Weights(0.0, 0.0)


def _open_weights(scored: ScoredCause) -> dict[str, _Weights]:
    """The weights of each measure without an answer."""
    open_measures = _open_spans(scored).keys()
    return {term.measure: _weights(term) for term in scored.cause.terms if term.measure in open_measures}


def _weights(term: Term) -> _Weights:
    if term.when in (Condition.NOT_SEEN, Condition.UNDER):
        return _Weights(seen=term.opposes, not_seen=term.supports)
    return _Weights(seen=term.supports, not_seen=term.opposes)


def _gap(one: _Weights, other: _Weights) -> float:
    """How far an answer can move the two causes apart, in nats."""
    return max(abs(one.seen - other.seen), abs(one.not_seen - other.not_seen))
