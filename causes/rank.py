"""Findings, history and a model's bounded opinion in, one checkable verdict out: pure, same input, same bytes."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from causes.catalogue import all_causes
from causes.cause import Cause
from causes.fingerprint import input_hash, stable
from causes.score import Judged, judge
from causes.symptoms import symptoms_of
from causes.words import headline, history_term, missing, model_term, tell_apart
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.verdict import RankedCause, RuledOut, TermResult, Verdict, VerdictState

NAME, VERSION = "expert-terms", "1"
# Expert weights are too sure of themselves because the terms are not independent; dividing by this softens them.
TEMPERATURE = 1.25
# What "something that nobody wrote a file for" scores: a cause needs evidence well above its prior to beat it.
UNKNOWN_SCORE = 0.0
# Below this the first cause is more likely wrong than right.
THRESHOLD = 0.5
UNITS = 10_000


class CauseModel(Protocol):
    """A learnt opinion: log-odds per cause slug, clipped by the ranking to half a nat either way."""

    name: str
    version: str

    def log_odds(self, findings: Sequence[Finding]) -> Mapping[str, float]:
        """Log-odds by cause slug; a cause that is left out gets none."""


def rank(
    scope: Scope, findings: Sequence[Finding], similar: Sequence[SimilarIncident] = (), *,
    revision: int = 1, model: CauseModel | None = None,
) -> Verdict:  # fmt: skip
    """The ranked causes of the incident at `scope.as_of`.

    Only causes that explain the alerts' symptoms compete, with `unknown` among them. A cause for which no measured
    term speaks stays part of `unknown`. Order of findings does not matter.
    """
    ordered = stable(findings)
    seen = {f.measure: f for f in reversed(ordered)}
    opinion = model.log_odds(ordered) if model else {}
    judged = [judge(c, seen, _extra(c, similar, opinion)) for c in eligible(scope, ordered)]
    standing = sorted((j for j in judged if not j.excluded), key=lambda j: (-j.score, j.cause.slug))
    running = [j for j in standing if j.spoken_for]
    shares = probabilities([j.score for j in running])
    state = _state(running, shares)
    return Verdict(
        incident=scope.incident, revision=revision, state=state,
        headline=headline(scope, state, running, shares, seen), as_of=scope.as_of,
        causes=tuple(_ranked(j, i, p) for i, (j, p) in enumerate(zip(running, shares, strict=False), start=1)),
        unknown_probability=shares[-1],
        ruled_out=tuple(RuledOut(j.cause.slug, j.excluded.sentence) for j in judged if j.excluded),
        missing=missing(running or standing, seen), similar=tuple(similar),
        ranker_name=f"{NAME}+{model.name}" if model else NAME,
        ranker_version=f"{VERSION}+{model.version}" if model else VERSION,
        input_hash=input_hash(scope, ordered), tell_apart=tell_apart(running),
    )  # fmt: skip


def eligible(scope: Scope, findings: tuple[Finding, ...] = ()) -> list[Cause]:
    """The causes that can explain the alerts' symptoms, in slug order."""
    symptoms = symptoms_of(scope, findings)
    kinds = {c.kind.lower() for c in scope.changes}
    fits = [c for c in all_causes().values() if c.symptoms & symptoms]
    return [c for c in fits if not c.change_kinds or kinds & c.change_kinds]


def probabilities(scores: Sequence[float]) -> list[float]:
    """Softmax of the scores and, last, of `unknown`; rounded to 4 places so that they still sum to 1."""
    nats = [s / TEMPERATURE for s in (*scores, UNKNOWN_SCORE)]
    top = max(nats)
    parts = [math.exp(n - top) for n in nats]
    exact = [p / math.fsum(parts) * UNITS for p in parts]
    units = [math.floor(e) for e in exact]
    # The largest remainders get what rounding down left over; earlier positions first among equals.
    by_remainder = sorted(range(len(exact)), key=lambda i: (-round(exact[i] - units[i], 6), i))
    for i in by_remainder[: UNITS - sum(units)]:
        units[i] += 1
    return [u / UNITS for u in units]


def _state(running: Sequence[Judged], shares: Sequence[float]) -> VerdictState:
    if not running or shares[0] < THRESHOLD:
        return VerdictState.UNKNOWN
    return VerdictState.NO_FAULT if running[0].cause.no_fault else VerdictState.RANKED


def _extra(cause: Cause, similar: Sequence[SimilarIncident], opinion: Mapping[str, float]) -> tuple[TermResult, ...]:
    terms = (history_term(cause.slug, similar), model_term(opinion.get(cause.slug, 0.0)))
    return tuple(t for t in terms if t is not None)


def _ranked(judged: Judged, position: int, probability: float) -> RankedCause:
    cause = judged.cause
    terms = tuple(sorted(judged.terms, key=lambda t: (-abs(t.weight), t.measure)))
    return RankedCause(cause.slug, cause.layer, cause.title, position, probability, terms, cause.next_steps)
