"""How one cause fares against the findings: each term for, against or unknown, and what excludes it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from causes.cause import Cause, Condition, Exclusion, Sentences, Term
from causes.questions import question
from domain.findings import Finding
from domain.text import Text, Value
from domain.verdict import Outcome, TermResult

IT = Text("it", context="subject")
NOT_ASKED = Text("not asked in this investigation")
# A lighter term adds to the score but does not make its cause a candidate, in nats.
LEAST_SUPPORT = 0.5
Findings = Mapping[str, Finding]


@dataclass(frozen=True, slots=True)
class ScoredCause:
    """A cause with its evaluated terms. `score` is in nats, the prior included.

    `excluded` is the exclusion that rules the cause out, if one does. `fit`, 0 to 1, is the share of the terms'
    absolute weight that supports the cause, 0 when no term weighs anything. `follows` is the slug of the cause that
    explains this one, empty when none does.
    """

    cause: Cause
    terms: tuple[TermResult, ...]
    score: float
    excluded: Exclusion | None = None
    fit: float = 0.0
    follows: str = ""

    @property
    def slug(self) -> str:
        """The cause's slug."""
        return self.cause.slug

    @property
    def competing(self) -> bool:
        """Whether it is supported and not excluded."""
        return self.excluded is None and self.supported

    @property
    def supported(self) -> bool:
        """Whether an observation supports it; absence, history and models alone do not.

        Where the cause names what it needs, only these measures count, with any weight.
        """
        if self.cause.needs:
            observed, least = self.cause.needs, 0.0
        else:
            observed, least = _measures_of_presence(self.cause), LEAST_SUPPORT
        read = {term.measure for term in self.cause.terms} & observed
        return any(t.measure in read and t.outcome is Outcome.FOR and t.weight >= least for t in self.terms)

    def with_term(self, term: TermResult) -> "ScoredCause":
        """With one more term in its sum."""
        return replace(self, terms=(*self.terms, term), score=self.score + term.weight)


def _measures_of_presence(cause: Cause) -> frozenset[str]:
    return frozenset(term.measure for term in cause.terms if term.when is not Condition.NOT_SEEN)


def score_cause(cause: Cause, findings: Findings, extra: tuple[TermResult, ...] = ()) -> ScoredCause:
    """Prior plus the sum of the counted terms; `extra` are the history and model terms."""
    evaluated = [evaluate(t, cause.sentences[t.measure], findings.get(t.measure)) for t in cause.terms]
    results = _count_once(cause, evaluated)
    pairs = zip(cause.terms, results, strict=True)
    terms = tuple(result for term, result in pairs if _worth_showing(term, result)) + extra
    excluded = next((exclusion for exclusion in cause.exclusions if excludes(exclusion, findings)), None)
    return ScoredCause(cause, terms, cause.prior + sum(t.weight for t in terms), excluded, _fit(results))


def _fit(results: Sequence[TermResult]) -> float:
    """The share of the absolute weight that supports the cause, 0 to 1; 0 when nothing weighs."""
    total = math.fsum(abs(r.weight) for r in results)
    return math.fsum(r.weight for r in results if r.weight > 0) / total if total else 0.0


def excludes(exclusion: Exclusion, findings: Findings) -> bool:
    """Whether every measure came out as the exclusion names it; an unknown one never excludes."""
    return all((f := findings.get(m)) is not None and f.seen is seen for m, seen in exclusion.when.items())


def evaluate(term: Term, sentences: Sentences, finding: Finding | None) -> TermResult:
    """The term's outcome with the finding's query, range, value and limit."""
    if finding is None:
        return TermResult(term.measure, Outcome.UNKNOWN, 0.0, question(term.measure), why_unknown=NOT_ASKED)
    outcome = _outcome(condition_met(term, finding))
    weight = {Outcome.FOR: term.supports, Outcome.AGAINST: term.opposes, Outcome.UNKNOWN: 0.0}[outcome]
    return TermResult(
        measure=term.measure,
        outcome=outcome,
        weight=weight,
        sentence=_sentence(sentences, finding, outcome),
        query=finding.query,
        from_=finding.from_,
        to=finding.to,
        value=finding.value,
        unit=finding.unit,
        limit=finding.limit if term.limit is None else term.limit,
        connection=finding.connection,
        why_unknown=(finding.why_unknown or NOT_ASKED) if outcome is Outcome.UNKNOWN else None,
    )


def condition_met(term: Term, finding: Finding) -> bool | None:
    """Whether the term's condition holds; None when the finding is unknown or has no value to compare."""
    if finding.seen is None:
        return None
    match term.when:
        case Condition.SEEN:
            return finding.seen
        case Condition.NOT_SEEN:
            return not finding.seen
    if finding.value is None or term.limit is None:
        return None
    return finding.value > term.limit if term.when is Condition.OVER else finding.value < term.limit


def _outcome(met: bool | None) -> Outcome:
    if met is None:
        return Outcome.UNKNOWN
    return Outcome.FOR if met else Outcome.AGAINST


def _sentence(sentences: Sentences, finding: Finding, outcome: Outcome) -> Text:
    """What was measured, then what it means for this cause."""
    if outcome is Outcome.UNKNOWN:
        return finding.sentence
    meaning = _filled(sentences.supports if outcome is Outcome.FOR else sentences.opposes, finding)
    if not meaning.template:
        return finding.sentence
    if not finding.sentence.template:
        return meaning
    return Text("{sentence} {meaning}", sentence=finding.sentence, meaning=meaning)


def _filled(meaning: Text, finding: Finding) -> Text:
    values: dict[str, Value] = {
        "value": number(finding.value),
        "unit": finding.unit,
        "limit": number(finding.limit),
        "subject": finding.subject or IT,
    }
    return meaning.format(**{name: values[name] for name in meaning.placeholders & values.keys()})


def number(value: float | None) -> str:
    """Three significant digits without an exponent for common sizes; a dash when not measured."""
    return "–" if value is None else f"{value:.3g}"


def _count_once(cause: Cause, results: list[TermResult]) -> list[TermResult]:
    """The results in order; of the terms that read one measurement only the heaviest, or first, keeps its weight."""
    heaviest: dict[str, int] = {}
    for position, (term, result) in enumerate(zip(cause.terms, results, strict=True)):
        best = heaviest.setdefault(term.counted_as, position)
        if abs(result.weight) > abs(results[best].weight):
            heaviest[term.counted_as] = position
    counted = set(heaviest.values())
    return [r if position in counted else replace(r, weight=0.0) for position, r in enumerate(results)]


def _worth_showing(term: Term, result: TermResult) -> bool:
    """Whether the term can weigh in its outcome: without `opposes` an outcome against is no line of weight zero."""
    return not (result.outcome is Outcome.AGAINST and term.opposes == 0)
