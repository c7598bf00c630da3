"""Findings, history and a model's bounded opinion in, one checkable verdict out: pure, same input, same bytes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from causes.candidates import eligible
from causes.cause import Cause
from causes.culprit import culprit
from causes.fingerprint import in_stable_order, input_hash
from causes.probability import TEMPERATURE, UNKNOWN_SCORE, probabilities, unanswered_share
from causes.score import ScoredCause, score_cause
from causes.steps import filled, fitting, values_of
from causes.topology import Evidence, consequences, explain_away
from causes.wording import contributing_term, headline, history_term, missing, model_term, next_question, tell_apart
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.text import Text
from domain.verdict import RankedCause, Role, RuledOut, TermResult, Verdict, VerdictState

NAME, VERSION = "expert-terms", "2"
# The share that every cause gives to unknown when none of the questions that were asked had an answer.
UNANSWERED_PENALTY = 0.3
# Below this the first cause is more likely wrong than right.
THRESHOLD = 0.5
# A first cause that a third of the evidence opposes looks like no cause that is described.
LEAST_FIT = 2 / 3
# Causes below this share are not listed.
NEGLIGIBLE = 0.0025


class CauseModel(Protocol):
    """A learnt opinion: log-odds per cause slug, clipped by the ranking to half a nat either way."""

    name: str
    version: str

    def log_odds(self, findings: Sequence[Finding]) -> Mapping[str, float]:
        """Log-odds in nats by cause slug; a cause that is left out gets none."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The causes worth naming, the likeliest first, with their probabilities; `unknown` has the rest of 1."""

    causes: tuple[ScoredCause, ...]
    probabilities: tuple[float, ...]
    unknown: float

    @property
    def first(self) -> ScoredCause | None:
        """The likeliest cause; None where no cause is worth naming."""
        return next(iter(self.causes), None)

    @property
    def state(self) -> VerdictState:
        """UNKNOWN where no cause reaches one half, or where too much of the evidence opposes the first."""
        if self.first is None or self.probabilities[0] < THRESHOLD or self.first.fit < LEAST_FIT:
            return VerdictState.UNKNOWN
        return VerdictState.NO_FAULT if self.first.cause.no_fault else VerdictState.RANKED


def rank(
    scope: Scope, findings: Sequence[Finding], similar: Sequence[SimilarIncident] = (), *,
    revision: int = 1, model: CauseModel | None = None, temperature: float = TEMPERATURE,
) -> Verdict:  # fmt: skip
    """The ranked causes of the incident at `scope.as_of`.

    Only causes that explain the alerts' symptoms compete, with `unknown` among them. A cause that no measured term
    supports stays part of `unknown`. Order of findings does not matter. The scores, in nats, are divided by
    `temperature`, above 0: the higher it is, the closer are the probabilities.
    """
    ordered = in_stable_order(findings)
    evidence = Evidence(scope, {f.measure: f for f in reversed(ordered)})
    scored = _scored_causes(evidence, ordered, similar, model.log_odds(ordered) if model else {})
    possible = sorted((c for c in scored if not c.excluded), key=lambda c: (-c.score, c.slug))
    unanswered = unanswered_share([c.cause for c in scored], evidence.findings)
    ranking = _ranking([c for c in possible if c.supported], temperature, UNANSWERED_PENALTY * unanswered)
    undecided = ranking.state is VerdictState.UNKNOWN
    return Verdict(
        incident=scope.incident,
        revision=revision,
        state=ranking.state,
        headline=_headline(evidence, ranking, mostly_unanswered=unanswered > 0.5),
        as_of=scope.as_of,
        causes=_ranked_causes(evidence, ranking),
        unknown_probability=ranking.unknown,
        ruled_out=tuple(RuledOut(c.slug, c.excluded.sentence) for c in scored if c.excluded),
        missing=missing(ranking.causes or possible, evidence.findings),
        similar=tuple(similar),
        ranker_name=f"{NAME}+{model.name}" if model else NAME,
        ranker_version=f"{VERSION}+{model.version}" if model else VERSION,
        input_hash=input_hash(scope, ordered),
        tell_apart=tell_apart(ranking.causes),
        next_question=next_question(ranking.causes, possible) if undecided else None,
    )


def _scored_causes(
    evidence: Evidence, ordered: tuple[Finding, ...], similar: Sequence[SimilarIncident], opinion: Mapping[str, float]
) -> list[ScoredCause]:
    """Every eligible cause by its own terms, then by what it contributes to and what explains it, in slug order."""
    scored = [
        score_cause(cause, evidence.findings, _history_and_model(cause, similar, opinion))
        for cause in eligible(evidence.scope, ordered)
    ]
    return explain_away(evidence, lower_contributing(scored))


def _history_and_model(
    cause: Cause, similar: Sequence[SimilarIncident], opinion: Mapping[str, float]
) -> tuple[TermResult, ...]:
    terms = (history_term(cause.slug, similar), model_term(opinion.get(cause.slug, 0.0)))
    return tuple(term for term in terms if term is not None)


def lower_contributing(scored: Sequence[ScoredCause]) -> list[ScoredCause]:
    """The same causes; one that makes a stronger one worse, as its file declares, loses weight as its rival."""
    competing = [c for c in scored if c.competing]
    return [_lowered(c, [o for o in competing if o.slug in c.cause.contributes_to]) for c in scored]


def _lowered(scored: ScoredCause, rivals: Sequence[ScoredCause]) -> ScoredCause:
    best = max(rivals, key=lambda rival: (rival.score, rival.slug), default=None)
    if best is None or not scored.competing or best.score < max(scored.score, UNKNOWN_SCORE):
        return scored
    return scored.with_term(contributing_term(best.cause.title))


def _ranking(supported: Sequence[ScoredCause], temperature: float, penalty: float) -> Ranking:
    """Of the causes, highest score first, those that are likely enough to be named."""
    *shares, _ = probabilities([c.score for c in supported], temperature, penalty)
    kept = tuple(share for share in shares if share >= NEGLIGIBLE)
    return Ranking(tuple(supported[: len(kept)]), kept, round(1 - math.fsum(kept), 4))


def _headline(evidence: Evidence, ranking: Ranking, mostly_unanswered: bool) -> Text:
    first = ranking.first
    blamed = culprit(evidence.scope, first, evidence.findings) if first else None
    share = ranking.probabilities[0] if first else 0.0
    return headline(evidence.scope, ranking.state, ranking.causes, share, blamed, mostly_unanswered)


def _ranked_causes(evidence: Evidence, ranking: Ranking) -> tuple[RankedCause, ...]:
    pairs = zip(ranking.causes, ranking.probabilities, strict=True)
    ranked = tuple(
        _ranked_cause(evidence, scored, position, probability)
        for position, (scored, probability) in enumerate(pairs, start=1)
    )
    return ranked if ranking.state is VerdictState.UNKNOWN else _with_roles(evidence, ranking.causes, ranked)


def _ranked_cause(evidence: Evidence, scored: ScoredCause, position: int, probability: float) -> RankedCause:
    blamed = culprit(evidence.scope, scored, evidence.findings)
    steps = fitting(scored.cause.next_steps, evidence.findings)
    return RankedCause(
        cause=scored.slug,
        layer=scored.cause.layer,
        title=scored.cause.title,
        position=position,
        probability=probability,
        terms=tuple(sorted(scored.terms, key=lambda term: (-abs(term.weight), term.measure))),
        next_steps=filled(steps, values_of(evidence.scope, evidence.findings)),
        entity=blamed.key if blamed else "",
    )


def _with_roles(
    evidence: Evidence, causes: Sequence[ScoredCause], ranked: Sequence[RankedCause]
) -> tuple[RankedCause, ...]:
    """Of a decided verdict: the first cause is primary and has consequences, the others relate to it."""
    first = causes[0]
    primary = replace(ranked[0], role=Role.PRIMARY, consequences=consequences(evidence, first, causes))
    others = zip(ranked[1:], causes[1:], strict=True)
    return (primary, *(replace(entry, role=_role(scored, first)) for entry, scored in others))


def _role(scored: ScoredCause, first: ScoredCause) -> Role:
    """The role of a cause that is not the first."""
    if scored.follows == first.slug:
        return Role.CONSEQUENCE
    return Role.CONTRIBUTING if first.slug in scored.cause.contributes_to else Role.ALTERNATIVE
