"""The sentences of a verdict: headline, history, what is missing, what would tell the leaders apart."""

from collections.abc import Mapping, Sequence

from causes.cause import Condition, Term
from causes.culprit import shown
from causes.questions import question
from causes.score import NOT_ASKED, ScoredCause
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.text import Text
from domain.verdict import Outcome, TermResult, VerdictState

HISTORY_BOUND = 1.0
MODEL_BOUND = 0.5
CONTRIBUTING = -1.5
ALIKE_ENOUGH = 0.3
# An unanswered question matters when its answer could move a score by this much, in nats.
MATTERS = 1.0
KINDS_BY_WORTH = (
    EntityKind.ETCD_MEMBER, EntityKind.ETCD_CLUSTER, EntityKind.POD, EntityKind.WORKLOAD, EntityKind.SERVICE,
    EntityKind.HOST, EntityKind.ZONE, EntityKind.CLUSTER,
)  # fmt: skip


def history_term(slug: str, similar: Sequence[SimilarIncident]) -> TermResult | None:
    """Confirmed similar incidents with this cause; a recurrence counts once with what it recurs."""
    best: dict[str, float] = {}
    for past in similar:
        if past.confirmed and past.cause == slug and past.score >= ALIKE_ENOUGH:
            origin = past.recurrence_of or past.incident
            best[origin] = max(best.get(origin, 0.0), past.score)
    if not best:
        return None
    top = max(best.values())
    weight = round(min(HISTORY_BOUND, 0.5 * sum(sorted(best.values()))), 4)
    sentence = (
        Text("Confirmed as the cause of 1 similar past incident; the closest scores {top:.2f}.", top=top)
        if len(best) == 1
        else Text(
            "Confirmed as the cause of {incidents} similar past incidents; the closest scores {top:.2f}.",
            incidents=len(best),
            top=top,
        )
    )
    return TermResult("history", Outcome.FOR, weight, sentence, value=float(len(best)))


def model_term(log_odds: float) -> TermResult | None:
    """The learnt model's opinion, at most half a nat either way."""
    weight = round(max(-MODEL_BOUND, min(MODEL_BOUND, log_odds)), 3)
    if not weight:
        return None
    outcome = Outcome.FOR if weight > 0 else Outcome.AGAINST
    sentence = Text("The learnt model speaks for it.") if weight > 0 else Text("The learnt model speaks against it.")
    return TermResult("model", outcome, weight, sentence, value=weight, limit=MODEL_BOUND)


def contributing_term(other: Text) -> TermResult:
    """What a cause that only makes a stronger one worse loses as its rival, in nats."""
    sentence = Text('It makes "{other}" worse and is not its rival.', other=other)
    return TermResult("contributes", Outcome.AGAINST, CONTRIBUTING, sentence)


def headline(
    scope: Scope,
    state: VerdictState,
    running: Sequence[ScoredCause],
    shares: Sequence[float],
    guilty: EntityRef | None = None,
    unheard: bool = False,
) -> Text:  # fmt: skip
    """One sentence that names the guilty thing, the cause and the strongest evidence; `unheard` says that most
    witnesses did not answer."""
    who = shown(guilty) if guilty and state is not VerdictState.UNKNOWN else entity_name(scope)
    if not running and unheard:
        return Text("{who}: unknown; most of what was asked had no answer.", who=who)
    if not running:
        return Text("{who}: unknown; no check found evidence for a known cause.", who=who)
    first = running[0].cause.title
    if state is VerdictState.UNKNOWN:
        named = _either([j.cause.title for j in running[:3]])
        return Text("{who}: not decided; candidates: {named}.", who=who, named=named)
    why = _strongest(running[0]).sentence
    return Text("{who}: {first} ({share:.0%}). {why}", who=who, first=first, share=shares[0], why=why)


def _either(names: Sequence[Text]) -> Text:
    """One to three names in quotes: titles are clauses, which run together without."""
    first, second, third = (*names, None, None)[:3]
    if second is None:
        return Text('"{first}"', first=first)
    if third is None:
        return Text('"{first}" or "{second}"', first=first, second=second)
    return Text('"{first}", "{second}" or "{third}"', first=first, second=second, third=third)


def entity_name(scope: Scope) -> str:
    """The most telling entity of the incident; the first alert's title when there is none."""
    ordered = sorted(scope.entities, key=lambda e: (KINDS_BY_WORTH.index(e.kind), e.key))
    return shown(ordered[0]) if ordered else min((a.title or a.name for a in scope.alerts), default="incident")


def _strongest(judged: ScoredCause) -> TermResult:
    """Of what speaks for it the weightiest thing that was seen; what was not seen tells only that others are out."""
    condition = {t.measure: t.when for t in judged.cause.terms}
    speaking = [t for t in judged.terms if t.outcome is Outcome.FOR and t.measure in condition]
    return max(speaking, key=lambda t: (condition[t.measure] is not Condition.NOT_SEEN, t.weight, t.measure))


def missing(judged: Sequence[ScoredCause], findings: Mapping[str, Finding], limit: int = 8) -> tuple[Text, ...]:
    """Questions without an answer that could have moved a standing cause: those that a witness failed to answer
    first, then the weightiest."""
    spans: dict[str, float] = {}
    for j in judged:
        for measure, span in _open_spans(j).items():
            spans[measure] = max(spans.get(measure, 0.0), span)
    wanted = sorted((m for m, s in spans.items() if s >= MATTERS), key=lambda m: (m not in findings, -spans[m], m))
    return tuple(_unanswered(m, findings.get(m)) for m in wanted[:limit])


def _unanswered(measure: str, finding: Finding | None) -> Text:
    asked = question(measure)
    why = (finding.why_unknown if finding else None) or NOT_ASKED
    return Text("{asked} ({why})", asked=asked, why=why)


def _open_spans(judged: ScoredCause) -> dict[str, float]:
    """What the answer to each open question could move; a question that another witness answered is not open."""
    outcome = {t.measure: t.outcome for t in judged.terms}
    told = {t.counted_as for t in judged.cause.terms if outcome.get(t.measure) is not Outcome.UNKNOWN}
    return {t.measure: t.span for t in judged.cause.terms if t.counted_as not in told}


def tell_apart(running: Sequence[ScoredCause], limit: int = 3) -> tuple[Text, ...]:
    """The open questions whose answers would move the two leaders furthest apart."""
    if len(running) < 2:
        return ()
    pair = (running[0].cause.title, running[1].cause.title)
    return tuple(_would_tell(question(m), pair) for m in _apart(running[0], running[1])[:limit])


def next_question(running: Sequence[ScoredCause], standing: Sequence[ScoredCause]) -> Text | None:
    """The open question that would decide most: between the two leaders, or for the first cause that has any."""
    if len(running) > 1 and (apart := _apart(running[0], running[1])):
        return question(apart[0])
    spans = next((open_ for j in (*running, *standing) if (open_ := _open_spans(j))), {})
    return question(min(spans, key=lambda m: (-spans[m], m))) if spans else None


def _apart(first: ScoredCause, second: ScoredCause) -> list[str]:
    one, two = _open_swing(first), _open_swing(second)
    gaps = {m: _gap(one.get(m, (0.0, 0.0)), two.get(m, (0.0, 0.0))) for m in one.keys() | two.keys()}
    return sorted((m for m, g in gaps.items() if g >= MATTERS), key=lambda m: (-gaps[m], m))


def _would_tell(asked: Text, pair: tuple[Text, Text]) -> Text:
    return Text('{asked} The answer tells "{first}" from "{second}".', asked=asked, first=pair[0], second=pair[1])


def _open_swing(judged: ScoredCause) -> dict[str, tuple[float, float]]:
    """Weight if the measure is seen, and if not, of each open question."""
    spans = _open_spans(judged)
    return {t.measure: _swing(t) for t in judged.cause.terms if t.measure in spans}


def _swing(term: Term) -> tuple[float, float]:
    if term.when in (Condition.NOT_SEEN, Condition.UNDER):
        return term.opposes, term.supports
    return term.supports, term.opposes


def _gap(one: tuple[float, float], two: tuple[float, float]) -> float:
    return max(abs(one[0] - two[0]), abs(one[1] - two[1]))
