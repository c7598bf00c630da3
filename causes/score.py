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
# A weaker term may tip the scales but does not bring a cause into play, in nats.
SPEAKS = 0.5
Findings = Mapping[str, Finding]


@dataclass(frozen=True, slots=True)
class ScoredCause:
    """A cause with its evaluated terms. `score` is in nats; `excluded` is the exclusion that struck it out.

    `fit` is the share of the weight that spoke for the cause, 1 when all of it did, 0 when none.
    `follows` and `contributes` name the cause that explains this one, or that this one makes worse.
    """

    cause: Cause
    terms: tuple[TermResult, ...]
    score: float
    excluded: Exclusion | None = None
    fit: float = 0.0
    follows: str = ""
    contributes: str = ""

    @property
    def slug(self) -> str:
        """The cause's slug."""
        return self.cause.slug

    @property
    def standing(self) -> bool:
        """Not excluded, and spoken for by what was observed."""
        return self.excluded is None and self.spoken_for

    def with_term(self, term: TermResult) -> "ScoredCause":
        """With one more term in its sum."""
        return replace(self, terms=(*self.terms, term), score=self.score + term.weight)

    @property
    def spoken_for(self) -> bool:
        """True if something that was observed speaks for the cause, one of those that it needs where it names any;
        what was absent, history and models do not."""
        observed = self.cause.needs or {t.measure for t in self.cause.terms if t.when is not Condition.NOT_SEEN}
        least = 0.0 if self.cause.needs else SPEAKS
        told = {t.measure: t for t in self.terms if t.outcome is Outcome.FOR}
        return any(told[t.measure].weight >= least for t in self.cause.terms if t.measure in observed & told.keys())


def judge(cause: Cause, findings: Findings, extra: tuple[TermResult, ...] = ()) -> ScoredCause:
    """Prior plus the sum of the counted terms; `extra` are the history and model terms."""
    results = _count_once(
        cause, [evaluate(t, cause.sentences[t.measure], findings.get(t.measure)) for t in cause.terms]
    )
    shown = tuple(r for t, r in zip(cause.terms, results, strict=True) if _worth_showing(t, r)) + extra
    excluded = next((e for e in cause.exclusions if holds(e, findings)), None)
    return ScoredCause(cause, shown, cause.prior + sum(t.weight for t in shown), excluded, _fit(results))


def _fit(results: Sequence[TermResult]) -> float:
    """The share of what spoke at all that spoke for the cause; 0 when nothing spoke."""
    spoken = math.fsum(abs(r.weight) for r in results)
    return math.fsum(r.weight for r in results if r.weight > 0) / spoken if spoken else 0.0


def holds(exclusion: Exclusion, findings: Findings) -> bool:
    """True if every condition of the exclusion was measured and came out as it says; unknown never excludes."""
    return all((f := findings.get(m)) is not None and f.seen is seen for m, seen in exclusion.when.items())


def evaluate(term: Term, sentences: Sentences, finding: Finding | None) -> TermResult:
    """The term's outcome with the finding's query, range, value and limit."""
    if finding is None:
        sentence = question(term.measure)
        return TermResult(term.measure, Outcome.UNKNOWN, 0.0, sentence, why_unknown=NOT_ASKED)
    met = condition_met(term, finding)
    outcome = Outcome.UNKNOWN if met is None else Outcome.FOR if met else Outcome.AGAINST
    weight = {Outcome.FOR: term.supports, Outcome.AGAINST: term.opposes, Outcome.UNKNOWN: 0.0}[outcome]
    return TermResult(
        term.measure, outcome, weight, _sentence(sentences, finding, outcome), finding.query, finding.from_, finding.to,
        finding.value, finding.unit, finding.limit if term.limit is None else term.limit, finding.connection,
        (finding.why_unknown or NOT_ASKED) if met is None else None,
    )  # fmt: skip


def condition_met(term: Term, finding: Finding) -> bool | None:
    """None when the finding cannot tell."""
    if term.when is Condition.SEEN or finding.seen is None:
        return finding.seen
    if term.when is Condition.NOT_SEEN:
        return not finding.seen
    if finding.value is None or term.limit is None:
        return None
    return finding.value > term.limit if term.when is Condition.OVER else finding.value < term.limit


def _sentence(sentences: Sentences, finding: Finding, outcome: Outcome) -> Text:
    """What was measured, then what it means for this cause."""
    if outcome is Outcome.UNKNOWN:
        return finding.sentence
    meaning = sentences.supports if outcome is Outcome.FOR else sentences.opposes
    values: dict[str, Value] = {
        "value": number(finding.value), "unit": finding.unit, "limit": number(finding.limit),
        "subject": finding.subject or IT,
    }  # fmt: skip
    meaning = meaning.format(**{name: values[name] for name in meaning.placeholders & values.keys()})
    if not (finding.sentence.template and meaning.template):
        return finding.sentence if finding.sentence.template else meaning
    return Text("{sentence} {meaning}", sentence=finding.sentence, meaning=meaning)


def number(value: float | None) -> str:
    """Three significant digits without an exponent for common sizes; a dash when not measured."""
    return "–" if value is None else f"{value:.3g}"


def _count_once(cause: Cause, results: list[TermResult]) -> list[TermResult]:
    """Of terms that read one measurement only the strongest keeps its weight."""
    strongest: dict[str, int] = {}
    for i, (term, result) in enumerate(zip(cause.terms, results, strict=True)):
        best = strongest.setdefault(term.counted_as, i)
        if abs(result.weight) > abs(results[best].weight):
            strongest[term.counted_as] = i
    kept = set(strongest.values())
    return [r if i in kept else replace(r, weight=0.0) for i, r in enumerate(results)]


def _worth_showing(term: Term, result: TermResult) -> bool:
    """A term that says nothing against its cause is silent, not a line of weight zero."""
    return not (result.outcome is Outcome.AGAINST and term.opposes == 0)
