"""The report of one incident: one model, the same content for every target, bounded by whole items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text, listed, verbatim
from domain.translations import CHINESE, languages
from domain.verdict import Outcome, RankedCause, TermResult, Verdict, VerdictState
from tickets.sanitize import clipped, one_line

CAUSES, TERMS, SIMILAR, OTHERS = 3, 3, 3, 5
# Lengths in characters. A sentence has about 200; a longer one holds somebody's alert text.
TITLE, SENTENCE, HEADING = 255, 400, 150
# A query is never cut, as half a query asks something else: a longer one is left to the incident's page.
QUERY, URL = 500, 1_000

NOT_YET = Text("This incident has not been investigated yet.")
MERGED = Text("Merged into incident #{number}, which has all alerts of this one: see {url}")
STATES = {
    VerdictState.RANKED: Text("causes ranked"),
    VerdictState.UNKNOWN: Text("cause unknown"),
    VerdictState.NO_FAULT: Text("no fault found"),
}
WORDS = (
    (0.9, Text("almost certain")),
    (0.7, Text("likely")),
    (0.4, Text("possible")),
    (0.0, Text("unlikely")),
)
MORE = Text("{count} more")
ELSE = Text("Something else, unknown")


@dataclass(frozen=True, slots=True)
class Line:
    """One item: a sentence, and what a person can paste or open to check it.

    `url` is where the sentence leads; `query` is the query or command that belongs to it, `query_url` shows its answer.
    `command` says that the sentence itself is to be pasted.
    """

    text: Text
    query: str = ""
    url: str = ""
    query_url: str = ""
    command: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with items in order of weight; `dropped` items were left out whole.

    Where room is short, sections of the highest `yields` give way first, from the last.
    """

    title: Text
    lines: tuple[Line, ...]
    dropped: int = 0
    level: int = 3
    yields: int = 0

    @property
    def more(self) -> Text | None:
        """The sentence that stands for the dropped items."""
        return MORE.format(count=self.dropped) if self.dropped else None


@dataclass(frozen=True, slots=True)
class Report:
    """What every target shows of an incident; `state` is the verdict's, in words.

    `dropped` counts the items of sections that were left out with their heading.
    """

    number: int
    title: str
    headline: Text
    state: Text
    url: str
    as_of: datetime | None
    revision: int
    sections: tuple[Section, ...]
    dropped: int = 0

    @property
    def more(self) -> Text | None:
        """The sentence that stands for whole sections."""
        return MORE.format(count=self.dropped) if self.dropped else None


@dataclass(frozen=True, slots=True)
class Known:
    """What the service knows beside the incident: addresses of declared Prometheus servers, titles of causes."""

    prometheus: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, Text] = field(default_factory=dict)

    def title(self, slug: str) -> Text:
        """A cause's title, its slug where there is none."""
        return self.titles.get(slug, verbatim(slug))


NOTHING_MORE = Known()


FURTHER = tuple(code for code in languages() if code != CHINESE)


def build(
    snapshot: IncidentSnapshot,
    similar: Sequence[SimilarIncident] = (),
    base_url: str = "",
    known: Known = NOTHING_MORE,
) -> Report:
    """The report of an incident; `similar` defaults to what the verdict knew, `base_url` is the service's own.

    That of one that was merged into another only names the other.
    """
    if snapshot.merged_into:
        return _report_of_merged(snapshot, base_url)
    verdict = snapshot.verdict
    sections = _sections(verdict, similar or verdict.similar, known) if verdict else ()
    return Report(
        number=snapshot.number,
        title=clipped(snapshot.title, TITLE),
        headline=bounded(verdict.headline) if verdict else NOT_YET,
        state=STATES[verdict.state] if verdict else Text("waiting"),
        url=_incident_url(snapshot, base_url),
        as_of=verdict.as_of if verdict else None,
        revision=verdict.revision if verdict else 0,
        sections=tuple(section for section in sections if section.lines),
    )


def _report_of_merged(snapshot: IncidentSnapshot, base_url: str) -> Report:
    """Where the incident went; its own verdict is outdated."""
    return Report(
        number=snapshot.number,
        title=clipped(snapshot.title, TITLE),
        headline=bounded(MERGED.format(number=snapshot.merged_into, url=snapshot.merged_url)),
        state=Text("merged"),
        url=_incident_url(snapshot, base_url),
        as_of=None,
        revision=snapshot.verdict.revision if snapshot.verdict else 0,
        sections=(),
    )


def bounded(text: Text, limit: int = SENTENCE) -> Text:
    """In each language one line of at most `limit` characters."""
    return Text.rendered(**{code: clipped(text.in_language(code), limit) for code in ("en", "zh", *FURTHER)})


def shortened(report: Report) -> Report | None:
    """The report with one item less; None when none is left.

    Items go from the end of the section that gives way first. When all are gone, headings go too, from the last.
    """
    order = sorted(range(len(report.sections)), key=lambda n: (report.sections[n].yields, n), reverse=True)
    for position in order:
        section = report.sections[position]
        if section.lines:
            less = replace(section, lines=section.lines[:-1], dropped=section.dropped + 1)
            return replace(report, sections=(*report.sections[:position], less, *report.sections[position + 1 :]))
    if not report.sections:
        return None
    return replace(report, sections=report.sections[:-1], dropped=report.dropped + report.sections[-1].dropped)


def _incident_url(snapshot: IncidentSnapshot, base_url: str) -> str:
    return f"{base_url.rstrip('/')}/incidents/{snapshot.id}/" if base_url else snapshot.url


def _sections(verdict: Verdict, similar: Sequence[SimilarIncident], known: Known) -> Iterator[Section]:
    titles = Known(known.prometheus, {**known.titles, **{c.cause: c.title for c in verdict.causes}})
    for cause in verdict.causes[:CAUSES]:
        yield from _cause_sections(cause, titles)
    yield _bounded_section(Text("Other causes"), _other_causes(verdict), OTHERS, yields=3)
    apart = [Line(bounded(text)) for text in dict.fromkeys(verdict.tell_apart)]
    yield _bounded_section(Text("What would tell them apart"), apart, OTHERS, yields=1)
    yield _bounded_section(Text("Next steps"), _next_steps(verdict), OTHERS, yields=1)
    out = [Line(labelled(titles.title(r.cause), r.sentence)) for r in verdict.ruled_out]
    yield _bounded_section(Text("Ruled out"), out, OTHERS, yields=4)
    missing = [Line(bounded(text)) for text in verdict.missing]
    yield _bounded_section(Text("Evidence that is missing"), missing, OTHERS, yields=4)
    alike = [similar_line(past, titles) for past in similar]
    yield _bounded_section(Text("Similar incidents"), alike, SIMILAR, yields=4)


def _bounded_section(title: Text, lines: Sequence[Line], limit: int, yields: int, level: int = 3) -> Section:
    """A section of at most `limit` items; one that is empty once its invisible marks are gone is none."""
    shown = [line for line in lines if line.text.en and line.text.in_language("zh")]
    return Section(bounded(title, HEADING), tuple(shown[:limit]), max(0, len(shown) - limit), level, yields)


def labelled(label: Text, sentence: Text) -> Text:
    """A sentence with what it is about in front."""
    return bounded(Text("{label}: {sentence}", label=label, sentence=sentence))


def in_words(probability: float) -> Text:
    """A probability (0 to 1) as a word that people use."""
    return next(word for floor, word in WORDS if probability >= floor)


def percent(probability: float) -> str:
    """Whole percent; never 0% or 100%, which would be a promise."""
    return f"{min(99, max(1, round(probability * 100)))}%"


def chance(title: Text, probability: float) -> Text:
    """A cause with its probability as a word and a number."""
    word, share, name = in_words(probability), percent(probability), bounded(title, HEADING // 2)
    return Text("{name}: {word} ({share})", name=name, word=word, share=share)


def _other_causes(verdict: Verdict) -> list[Line]:
    """The causes below the first ones, and how much is left for none of them."""
    lines = [Line(chance(cause.title, cause.probability)) for cause in verdict.causes[CAUSES:]]
    return [*lines, Line(chance(ELSE, verdict.unknown_probability))]


def _cause_sections(cause: RankedCause, known: Known) -> tuple[Section, Section]:
    """A cause's heading with the evidence for it, then the evidence against it."""
    likely = chance(cause.title, cause.probability)
    title = Text("{position}. {likely}", position=cause.position, likely=likely)
    pro, contra = (evidence(_strongest(cause.terms, outcome), known) for outcome in (Outcome.FOR, Outcome.AGAINST))
    pro = pro or [Line(Text("Nothing speaks for it."))]
    first = cause.position == 1
    against = Text("Against it")
    return (
        _bounded_section(title, pro, TERMS, yields=0 if first else 2),
        _bounded_section(against, contra, TERMS, yields=1 if first else 2, level=4),
    )


def _strongest(terms: Sequence[TermResult], outcome: Outcome) -> list[TermResult]:
    return sorted((t for t in terms if t.outcome is outcome), key=lambda t: (-abs(t.weight), t.measure))


def evidence(terms: Sequence[TermResult], known: Known) -> list[Line]:
    """One line per term; a query is shown with the first term that rests on it, and not again."""
    lines, shown = [], set[str]()
    for term in terms:
        query = _pasteable(term.query)
        if not query or query in shown:
            lines.append(Line(bounded(term.sentence)))
            continue
        shown.add(query)
        url = graph_page(known.prometheus.get(term.connection, ""), query, term)
        lines.append(Line(bounded(term.sentence), query=query, query_url=url))
    return lines


def _pasteable(text: str) -> str:
    """What a person can paste, on one line; empty where it is too long to be shown whole."""
    line = one_line(text) if len(text) <= 4 * QUERY else ""
    return line if len(line) <= QUERY else ""


def graph_page(server: str, query: str, term: TermResult) -> str:
    """The page of a Prometheus-compatible server that draws the query over the term's range; empty without one."""
    if not server:
        return ""
    asked = {"g0.expr": query, "g0.tab": "0"}
    if term.to is not None:
        end = term.to.astimezone(UTC)
        # The page knows whole minutes as the end: up to the next one, so that nothing of the range is lost.
        end += timedelta(microseconds=-(end.second * 1_000_000 + end.microsecond) % 60_000_000)
        span = max(end - (term.from_ or term.to), timedelta(minutes=1))
        asked |= {"g0.range_input": f"{round(span.total_seconds())}s", "g0.end_input": f"{end:%Y-%m-%d %H:%M:%S}"}
    # `quote` leaves the tilde of `=~`, which ends a link in some forms.
    asked_for = urlencode(asked, quote_via=quote, safe="").replace("~", "%7E")
    url = f"{server.rstrip('/')}/graph?{asked_for}"
    return url if len(url) <= URL else ""


def _next_steps(verdict: Verdict) -> list[Line]:
    """What to do if it is the first cause."""
    return [step_line(step) for step in dict.fromkeys(verdict.causes[0].next_steps if verdict.causes else ())]


def step_line(step: Text) -> Line:
    """A step, its command apart: what reads the same in both languages, all of it or what follows the last colon."""
    chinese = step.in_language("zh")
    if step.en == chinese and len(chinese) <= SENTENCE:
        return Line(bounded(step), command=True)
    (en, _, command), (zh, _, same) = step.en.rpartition(": "), chinese.rpartition("：")
    if command == same and (shown := _pasteable(command)):
        return Line(bounded(Text.rendered(f"{en}:", f"{zh}：")), query=shown)
    return Line(bounded(step))


def similar_line(past: SimilarIncident, known: Known) -> Line:
    """A similar incident with how it came out."""
    share, cause = f"{round(past.score * 100)}%", known.title(past.cause)
    title = clipped(past.title, HEADING)
    parts = [verbatim(title), Text("{share} alike", share=share)]
    if past.cause and past.confirmed:
        parts.append(Text("confirmed cause {cause}", cause=cause))
    elif past.cause:
        parts.append(Text("first ranked cause {cause}", cause=cause))
    if past.fixed_by:
        parts.append(Text("fixed by {fixed_by}", fixed_by=past.fixed_by))
    if past.minutes is not None:
        parts.append(Text("took {minutes} min", minutes=past.minutes))
    return Line(bounded(listed(parts)), url=past.url)
