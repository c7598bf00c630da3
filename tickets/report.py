"""The report of one incident: one model, the same content for every target, bounded by whole items."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, TermResult, Verdict, VerdictState

CAUSES, TERMS, SIMILAR, OTHERS = 3, 3, 3, 5

NOT_YET = Text("This incident has not been investigated yet.", "该事件尚未完成调查。")
STATES = {
    VerdictState.RANKED: Text("causes ranked", "已排出原因"),
    VerdictState.UNKNOWN: Text("cause unknown", "原因未知"),
    VerdictState.NO_FAULT: Text("no fault found", "未发现故障"),
}
WORDS = (
    (0.9, Text("almost certain", "几乎确定")),
    (0.7, Text("likely", "很可能")),
    (0.4, Text("possible", "可能")),
    (0.0, Text("unlikely", "不太可能")),
)
MORE = Text("{count} more", "另有 {count} 项")


@dataclass(frozen=True, slots=True)
class Line:
    """One item: a sentence, and what a person can paste or open to check it."""

    text: Text
    query: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with items in order of weight; `dropped` items were left out whole."""

    title: Text
    lines: tuple[Line, ...]
    dropped: int = 0
    level: int = 3

    @property
    def more(self) -> Text | None:
        """The sentence that stands for the dropped items."""
        return MORE.format(count=self.dropped) if self.dropped else None


@dataclass(frozen=True, slots=True)
class Report:
    """What every target tells of an incident; `state` is the verdict's, in words."""

    number: int
    title: str
    headline: Text
    state: Text
    url: str
    as_of: datetime | None
    revision: int
    sections: tuple[Section, ...]


def build(snapshot: IncidentSnapshot, similar: Sequence[SimilarIncident] = (), base_url: str = "") -> Report:
    """The report of an incident; `similar` defaults to what the verdict knew, `base_url` is the service's own."""
    verdict = snapshot.verdict
    sections = _sections(verdict, similar or verdict.similar) if verdict else ()
    return Report(
        number=snapshot.number,
        title=snapshot.title,
        headline=verdict.headline if verdict else NOT_YET,
        state=STATES[verdict.state] if verdict else Text("waiting", "等待中"),
        url=_link(snapshot, base_url),
        as_of=verdict.as_of if verdict else None,
        revision=verdict.revision if verdict else 0,
        sections=tuple(section for section in sections if section.lines),
    )


def shortened(report: Report) -> Report | None:
    """The report with one item less, taken from the last section that still has one; None when none is left."""
    for position in range(len(report.sections) - 1, -1, -1):
        section = report.sections[position]
        if section.lines:
            less = replace(section, lines=section.lines[:-1], dropped=section.dropped + 1)
            return replace(report, sections=(*report.sections[:position], less, *report.sections[position + 1 :]))
    return None


def _link(snapshot: IncidentSnapshot, base_url: str) -> str:
    return f"{base_url.rstrip('/')}/incidents/{snapshot.id}/" if base_url else snapshot.url


def _sections(verdict: Verdict, similar: Sequence[SimilarIncident]) -> tuple[Section, ...]:
    causes = [section for cause in verdict.causes[:CAUSES] for section in _cause(cause)]
    others = [Line(_chance(cause)) for cause in verdict.causes[CAUSES:]]
    return (
        *causes,
        _bounded(Text("Less likely causes", "可能性较低的原因"), others, OTHERS),
        _bounded(Text("Next steps", "后续步骤"), _steps(verdict), OTHERS),
        _bounded(Text("Ruled out", "已排除"), [Line(r.sentence) for r in verdict.ruled_out], OTHERS),
        _bounded(Text("Evidence that is missing", "缺失的证据"), [Line(m) for m in verdict.missing], OTHERS),
        _bounded(Text("Similar incidents", "相似事件"), [_similar(s) for s in similar], SIMILAR),
    )


def _bounded(title: Text, lines: Sequence[Line], limit: int, level: int = 3) -> Section:
    return Section(title, tuple(lines[:limit]), max(0, len(lines) - limit), level)


def in_words(probability: float) -> Text:
    """A probability (0 to 1) as a word that people use."""
    return next(word for floor, word in WORDS if probability >= floor)


def percent(probability: float) -> str:
    """Whole percent; never 0 % or 100 %, which would be a promise."""
    return f"{min(99, max(1, round(probability * 100)))} %"


def _chance(cause: RankedCause) -> Text:
    word, share = in_words(cause.probability), percent(cause.probability)
    return Text(f"{cause.title.en}: {word.en} ({share})", f"{cause.title.zh}：{word.zh}（{share}）")


def _cause(cause: RankedCause) -> tuple[Section, ...]:
    """A cause's heading with what speaks for it, then what speaks against it."""
    chance = _chance(cause)
    title = Text(f"{cause.position}. {chance.en}", f"{cause.position}. {chance.zh}")
    pro, contra = (_strongest(cause.terms, outcome) for outcome in (Outcome.FOR, Outcome.AGAINST))
    return (
        _bounded(title, [_term(t) for t in pro] or [Line(Text("Nothing speaks for it.", "没有支持证据。"))], TERMS),
        _bounded(Text("Against it", "反对证据"), [_term(t) for t in contra], TERMS, level=4),
    )


def _strongest(terms: Sequence[TermResult], outcome: Outcome) -> list[TermResult]:
    return sorted((t for t in terms if t.outcome is outcome), key=lambda t: (-abs(t.weight), t.measure))


def _term(term: TermResult) -> Line:
    return Line(term.sentence, query=term.query)


def _steps(verdict: Verdict) -> list[Line]:
    """What to do now: of the first cause, or what tells the candidates apart."""
    steps = [*verdict.tell_apart, *(verdict.causes[0].next_steps if verdict.causes else ())]
    return [Line(step) for step in dict.fromkeys(steps)]


def _similar(past: SimilarIncident) -> Line:
    en, zh = [past.title, f"{round(past.score * 100)} % alike"], [past.title, f"相似度 {round(past.score * 100)} %"]
    if past.cause:
        en.append(("confirmed cause " if past.confirmed else "first ranked cause ") + past.cause)
        zh.append(("确认原因 " if past.confirmed else "首位原因 ") + past.cause)
    if past.fixed_by:
        en.append(f"fixed by {past.fixed_by}")
        zh.append(f"解决方式 {past.fixed_by}")
    if past.minutes is not None:
        en.append(f"took {past.minutes} min")
        zh.append(f"历时 {past.minutes} 分钟")
    return Line(Text("; ".join(en), "；".join(zh)), url=past.url)
