"""Findings, history and a model's bounded opinion in, one checkable verdict out: pure, same input, same bytes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from causes.catalogue import all_causes
from causes.cause import Cause, Symptom
from causes.culprit import ETCD_THINGS, culprit
from causes.families import family
from causes.fingerprint import input_hash, stable
from causes.score import ScoredCause, judge
from causes.steps import filled, values_of
from causes.symptoms import symptoms_of
from causes.topology import Evidence, consequences, explain_away
from causes.wording import contributing_term, headline, history_term, missing, model_term, next_question, tell_apart
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.verdict import RankedCause, Role, RuledOut, TermResult, Verdict, VerdictState
from evidence.pods import keys

NAME, VERSION = "expert-terms", "2"
# On 121 development episodes of 63 declarations the calibration error is 0.09 then, all of it by saying less than is
# true; of 99 faults one is not told. Fitted there it would be 0.17; it is not, because the weights were looked at on
# the same episodes. docs/accuracy.md has the figures on episodes that nobody looked at.
TEMPERATURE = 0.7
# What "something that nobody wrote a file for" scores: a cause needs evidence well above its prior to beat it.
UNKNOWN_SCORE = 0.0
# The share that every cause gives to unknown when no witness answered any of its questions.
SILENCE = 0.3
# Below this the first cause is more likely wrong than right.
THRESHOLD = 0.5
# A first cause against which a third of the evidence speaks looks like nothing that was ever described.
FIT = 2 / 3
# Causes below this share are not listed.
NEGLIGIBLE = 0.0025
UNITS = 10_000
# Without one of these nothing says that the control plane below a failing pod is in trouble.
FROM_BELOW = ("apiserver-errors", "apiserver-etcd-slow", "apiserver-slow", "peers-most-pods-fail")


class CauseModel(Protocol):
    """A learnt opinion: log-odds per cause slug, clipped by the ranking to half a nat either way."""

    name: str
    version: str

    def log_odds(self, findings: Sequence[Finding]) -> Mapping[str, float]:
        """Log-odds by cause slug; a cause that is left out gets none."""


def rank(
    scope: Scope, findings: Sequence[Finding], similar: Sequence[SimilarIncident] = (), *,
    revision: int = 1, model: CauseModel | None = None, temperature: float = TEMPERATURE,
) -> Verdict:  # fmt: skip
    """The ranked causes of the incident at `scope.as_of`.

    Only causes that explain the alerts' symptoms compete, with `unknown` among them. A cause for which no measured
    term speaks stays part of `unknown`. Order of findings does not matter.
    """
    ordered = stable(findings)
    view = Evidence(scope, {f.measure: f for f in reversed(ordered)})
    judged = _judged(view, ordered, similar, model.log_odds(ordered) if model else {})
    standing = sorted((j for j in judged if not j.excluded), key=lambda j: (-j.score, j.slug))
    silent = silence([j.cause for j in judged], view)
    running, shares = _running([j for j in standing if j.spoken_for], temperature, SILENCE * silent)
    state = _state(running, shares)
    undecided = state is VerdictState.UNKNOWN
    who = culprit(scope, running[0], view.findings) if running else None
    return Verdict(
        incident=scope.incident, revision=revision, state=state,
        headline=headline(scope, state, running, shares, who, unheard=silent > 0.5),
        as_of=scope.as_of, causes=_ranked(view, running, shares, undecided), unknown_probability=shares[-1],
        ruled_out=tuple(RuledOut(j.slug, j.excluded.sentence) for j in judged if j.excluded),
        missing=missing(running or standing, view.findings), similar=tuple(similar),
        ranker_name=f"{NAME}+{model.name}" if model else NAME,
        ranker_version=f"{VERSION}+{model.version}" if model else VERSION,
        input_hash=input_hash(scope, ordered), tell_apart=tell_apart(running),
        next_question=next_question(running, standing) if undecided else None,
    )  # fmt: skip


def _judged(
    view: Evidence, ordered: tuple[Finding, ...], similar: Sequence[SimilarIncident], opinion: Mapping[str, float]
) -> list[ScoredCause]:
    """Every eligible cause by its own terms, then by what it contributes to and what explains it, in slug order."""
    alone = [judge(c, view.findings, _extra(c, similar, opinion)) for c in eligible(view.scope, ordered)]
    return explain_away(view, contributing(alone))


def contributing(judged: Sequence[ScoredCause]) -> list[ScoredCause]:
    """A cause that makes a stronger one worse, and says so in its file, is no rival of it."""
    running = [j for j in judged if j.standing]
    return [_lesser(j, [o for o in running if o.slug in j.cause.contributes_to]) for j in judged]


def _lesser(judged: ScoredCause, rivals: Sequence[ScoredCause]) -> ScoredCause:
    best = max(rivals, key=lambda o: (o.score, o.slug), default=None)
    if best is None or not judged.standing or best.score < max(judged.score, UNKNOWN_SCORE):
        return judged
    return replace(judged.with_term(contributing_term(best.cause.title)), contributes=best.slug)


def eligible(scope: Scope, findings: tuple[Finding, ...] = ()) -> list[Cause]:
    """The causes that can explain the alerts' symptoms, in slug order."""
    symptoms = symptoms_of(scope, findings)
    if Symptom.PROBE in symptoms and any(f.seen and f.measure in FROM_BELOW for f in findings):
        symptoms |= {Symptom.API_SERVER}
    answered = {f.measure for f in findings if f.seen is not None}
    about = keys(scope)
    kinds = {c.kind.lower() for c in scope.changes if about & set(c.entities)}
    fits = [c for c in all_causes().values() if c.symptoms & symptoms or _below(c, symptoms, answered)]
    return [c for c in fits if not c.change_kinds or kinds & c.change_kinds]


def _below(cause: Cause, symptoms: frozenset[Symptom], answered: set[str]) -> bool:
    """An etcd cause where the API server on top of it suffers, if etcd was asked."""
    return Symptom.API_SERVER in symptoms and cause.about in ETCD_THINGS and bool(answered & cause.measures)


def _running(spoken: list[ScoredCause], temperature: float, silent: float) -> tuple[list[ScoredCause], list[float]]:
    """The causes worth naming with their shares, unknown last; what is too unlikely stays part of unknown."""
    shares = probabilities([j.score for j in spoken], temperature, silent)
    kept = [s for s in shares[:-1] if s >= NEGLIGIBLE]
    return spoken[: len(kept)], [*kept, round(1 - math.fsum(kept), 4)]


def silence(causes: Sequence[Cause], view: Evidence) -> float:
    """The share of the causes' weight that witnesses were asked for and did not answer, 0 to 1.

    A measurement is silent when one of its witnesses was asked and none answered; what nobody was asked is not.
    """
    weights: dict[str, float] = {}
    heard: dict[str, bool] = {}
    for term in (t for cause in causes for t in cause.terms):
        if (finding := view.findings.get(term.measure)) is not None:
            name = family(term.measure)
            weights[name] = max(weights.get(name, 0.0), term.span)
            heard[name] = heard.get(name, False) or finding.seen is not None
    total = math.fsum(weights.values())
    return math.fsum(w for name, w in weights.items() if not heard[name]) / total if total else 0.0


def probabilities(scores: Sequence[float], temperature: float = TEMPERATURE, silent: float = 0.0) -> list[float]:
    """Softmax of the scores and, last, of `unknown`, which then takes the share `silent` of every other;
    rounded to 4 places so that they still sum to 1."""
    nats = [s / temperature for s in (*scores, UNKNOWN_SCORE)]
    top = max(nats)
    parts = [math.exp(n - top) for n in nats]
    kept = [p / math.fsum(parts) * (1 - silent) for p in parts[:-1]]
    exact = [k * UNITS for k in (*kept, 1 - math.fsum(kept))]
    units = [math.floor(e) for e in exact]
    # The largest remainders get what rounding down left over; earlier positions first among equals.
    by_remainder = sorted(range(len(exact)), key=lambda i: (-round(exact[i] - units[i], 6), i))
    for i in by_remainder[: UNITS - sum(units)]:
        units[i] += 1
    return [u / UNITS for u in units]


def _state(running: Sequence[ScoredCause], shares: Sequence[float]) -> VerdictState:
    if not running or shares[0] < THRESHOLD or running[0].fit < FIT:
        return VerdictState.UNKNOWN
    return VerdictState.NO_FAULT if running[0].cause.no_fault else VerdictState.RANKED


def _extra(cause: Cause, similar: Sequence[SimilarIncident], opinion: Mapping[str, float]) -> tuple[TermResult, ...]:
    terms = (history_term(cause.slug, similar), model_term(opinion.get(cause.slug, 0.0)))
    return tuple(t for t in terms if t is not None)


def _ranked(
    view: Evidence, running: Sequence[ScoredCause], shares: Sequence[float], undecided: bool
) -> tuple[RankedCause, ...]:
    values = values_of(view.scope, view.findings)
    pairs = enumerate(zip(running, shares, strict=False), start=1)
    return tuple(
        replace(
            _one(view, j, i, p), next_steps=filled(j.cause.next_steps, values),
            role=Role.ALTERNATIVE if undecided else _role(j, running[0]),
            consequences=consequences(view, j, running) if i == 1 and not undecided else (),
        )
        for i, (j, p) in pairs
    )  # fmt: skip


def _one(view: Evidence, judged: ScoredCause, position: int, probability: float) -> RankedCause:
    cause, entity = judged.cause, culprit(view.scope, judged, view.findings)
    terms = tuple(sorted(judged.terms, key=lambda t: (-abs(t.weight), t.measure)))
    return RankedCause(
        cause.slug, cause.layer, cause.title, position, probability, terms, entity=entity.key if entity else ""
    )


def _role(judged: ScoredCause, first: ScoredCause) -> Role:
    if judged is first:
        return Role.PRIMARY
    if judged.follows == first.slug:
        return Role.CONSEQUENCE
    return Role.CONTRIBUTING if first.slug in judged.cause.contributes_to else Role.ALTERNATIVE
