"""The sentences of a verdict: headline, history, what is missing, what would tell the leaders apart."""

from collections.abc import Mapping, Sequence

from causes.questions import question
from causes.score import NOT_ASKED, Judged
from domain.entities import EntityKind
from domain.findings import Finding
from domain.scope import Scope
from domain.similar import SimilarIncident
from domain.text import Text
from domain.verdict import Outcome, TermResult, VerdictState

HISTORY_BOUND = 1.0
MODEL_BOUND = 0.5
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
    sentence = Text(
        f"Confirmed as the cause of {len(best)} similar past incident(s); the closest scores {top:.2f}.",
        f"在 {len(best)} 个相似历史事件中被确认为根因，最相似的得分为 {top:.2f}。",
    )
    return TermResult("history", Outcome.FOR, weight, sentence, value=float(len(best)))


def model_term(log_odds: float) -> TermResult | None:
    """The learnt model's opinion, at most half a nat either way."""
    weight = round(max(-MODEL_BOUND, min(MODEL_BOUND, log_odds)), 3)
    if not weight:
        return None
    outcome = Outcome.FOR if weight > 0 else Outcome.AGAINST
    en, zh = ("for", "支持") if weight > 0 else ("against", "反对")
    sentence = Text(f"The learnt model speaks {en} it.", f"学习模型{zh}该根因。")
    return TermResult("model", outcome, weight, sentence, value=weight, limit=MODEL_BOUND)


def headline(
    scope: Scope,
    state: VerdictState,
    running: Sequence[Judged],
    shares: Sequence[float],
    findings: Mapping[str, Finding],
) -> Text:  # fmt: skip
    """One sentence that names the entity, the cause and the strongest evidence."""
    who = entity_name(scope)
    if not running:
        return Text(
            f"{who}: unknown; no check found evidence for a known cause.",
            f"{who}：未知；没有检查发现支持已知根因的证据。",
        )
    first = running[0].cause.title
    if state is VerdictState.UNKNOWN:
        names = [j.cause.title for j in running[:3]]
        en, zh = " or ".join(n.en for n in names), "或".join(n.zh for n in names)
        return Text(f"{who}: not decided; candidates: {en}.", f"{who}：尚无定论；候选：{zh}。")
    strongest = _strongest(running[0])
    why, told = strongest.sentence, findings.get(strongest.measure)
    # The guilty member may be another one than the alert named.
    who = told.subject if told and told.subject and told.measure.startswith("etcd-") else who
    percent = f"{shares[0]:.0%}"
    return Text(f"{who}: {first.en} ({percent}). {why.en}", f"{who}：{first.zh}（{percent}）。{why.zh}")


def entity_name(scope: Scope) -> str:
    """The most telling entity of the incident; the first alert's title when there is none."""
    ordered = sorted(scope.entities, key=lambda e: (KINDS_BY_WORTH.index(e.kind), e.key))
    if ordered:
        first = ordered[0]
        return f"{first.namespace}/{first.name}" if first.namespace else first.name
    return min((a.title or a.name for a in scope.alerts), default="incident")


def _strongest(judged: Judged) -> TermResult:
    measured = {t.measure for t in judged.cause.terms}
    speaking = [t for t in judged.terms if t.outcome is Outcome.FOR and t.measure in measured]
    return max(speaking, key=lambda t: (t.weight, t.measure))


def missing(judged: Sequence[Judged], findings: Mapping[str, Finding], limit: int = 8) -> tuple[Text, ...]:
    """Questions without an answer that could have moved a standing cause, the weightiest first."""
    spans: dict[str, float] = {}
    for j in judged:
        for measure, span in _unknown_spans(j).items():
            spans[measure] = max(spans.get(measure, 0.0), span)
    wanted = sorted((m for m, s in spans.items() if s >= MATTERS), key=lambda m: (-spans[m], m))
    return tuple(_unanswered(m, findings.get(m)) for m in wanted[:limit])


def _unanswered(measure: str, finding: Finding | None) -> Text:
    asked = question(measure)
    why = (finding.why_unknown if finding else None) or NOT_ASKED
    return Text(f"{asked.en} ({why.en})", f"{asked.zh}（{why.zh}）")


def _unknown_spans(judged: Judged) -> dict[str, float]:
    unknown = {t.measure for t in judged.terms if t.outcome is Outcome.UNKNOWN}
    return {t.measure: t.span for t in judged.cause.terms if t.measure in unknown}


def tell_apart(running: Sequence[Judged], limit: int = 3) -> tuple[Text, ...]:
    """The open questions whose answers would move the two leaders furthest apart."""
    if len(running) < 2:
        return ()
    first, second = running[0], running[1]
    one, two = _unknown_swing(first), _unknown_swing(second)
    gaps = {m: _gap(one.get(m, (0.0, 0.0)), two.get(m, (0.0, 0.0))) for m in one.keys() | two.keys()}
    wanted = sorted((m for m, g in gaps.items() if g >= MATTERS), key=lambda m: (-gaps[m], m))
    pair = (first.cause.title, second.cause.title)
    return tuple(_would_tell(question(m), pair) for m in wanted[:limit])


def _would_tell(asked: Text, pair: tuple[Text, Text]) -> Text:
    return Text(
        f'{asked.en} The answer tells "{pair[0].en}" from "{pair[1].en}".',
        f"{asked.zh}答案可区分“{pair[0].zh}”与“{pair[1].zh}”。",
    )


def _unknown_swing(judged: Judged) -> dict[str, tuple[float, float]]:
    """Weight if the term's condition holds, and if not, of each unknown term."""
    unknown = _unknown_spans(judged)
    return {t.measure: (t.weight_for, t.weight_against) for t in judged.cause.terms if t.measure in unknown}


def _gap(one: tuple[float, float], two: tuple[float, float]) -> float:
    return max(abs(one[0] - two[0]), abs(one[1] - two[1]))
