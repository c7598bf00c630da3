"""A postmortem's first draft: what the record knows, in order, and room for what only people know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from domain.alerts import SEVERITY_NAMES
from domain.entities import named
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, Verdict
from tickets import report
from tickets.render import render
from tickets.report import NOTHING_MORE, Known, Line, Section, bounded
from tickets.sanitize import clipped

LIMIT = 200_000
MOMENTS, TERMS, ENTITIES = 200, 12, 30
DRAFT = Text("Postmortem draft: {title}")
TO_WRITE = Text("To be written by people.")
PROPOSED = Text("Proposed by the catalogue for the first cause:")
NOT_YET = Text("not yet")


@dataclass(frozen=True, slots=True)
class Times:
    """When each phase of an incident was reached; None for what was not. `reopened` is how often it came back, and
    `verdicts` the first one and each that said something else."""

    first_alert: datetime
    opened: datetime
    suggested: datetime | None = None
    acknowledged: datetime | None = None
    acknowledged_by: str = ""
    resolved: datetime | None = None
    reopened: int = 0
    verdicts: tuple[tuple[datetime, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """One span with what it measures; `ended` None while it lasts."""

    name: Text
    definition: Text
    begun: datetime | None
    ended: datetime | None

    @property
    def lasted(self) -> timedelta | None:
        """None where one of its ends is not known; never below zero, though two clocks may differ."""
        if self.begun is None or self.ended is None:
            return None
        return max(self.ended - self.begun, timedelta())


def phases(times: Times) -> tuple[Phase, ...]:
    """The spans that people compare incidents by, each from data of the record."""
    return (
        Phase(
            Text("To detect"),
            Text("from the start of the first alert, by the monitoring's clock, to the incident's opening here"),
            times.first_alert,
            times.opened,
        ),
        Phase(
            Text("To suggest a cause"),
            Text("from the start of the first alert to the first verdict"),
            times.first_alert,
            times.suggested,
        ),
        Phase(
            Text("To acknowledge (MTTA)"),
            Text("from the start of the first alert to the first person who acknowledged it"),
            times.first_alert,
            times.acknowledged,
        ),
        Phase(
            Text("To repair"),
            Text("from the acknowledgement to the end of the last alert"),
            times.acknowledged,
            times.resolved,
        ),
        Phase(
            Text("To resolve (MTTR)"),
            Text("from the start of the first alert to the end of the last one"),
            times.first_alert,
            times.resolved,
        ),
    )


UNITS = ((Text("{count} d"), 86_400), (Text("{count} h"), 3_600), (Text("{count} min"), 60), (Text("{count} s"), 1))


def duration(span: timedelta | None) -> Text:
    """A span in its two largest units."""
    if span is None:
        return NOT_YET
    left = int(span.total_seconds())
    parts: list[Text] = []
    for unit, size in UNITS:
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(unit.format(count=count))
    return parts[0] if len(parts) == 1 else Text("{most} {then}", most=parts[0], then=parts[1])


def draft(
    snapshot: IncidentSnapshot, times: Times, base_url: str = "", language: str = "en", known: Known = NOTHING_MORE
) -> str:
    """The draft in Markdown, at most 200,000 characters: a report of other sections, so whole items give way."""
    short = report.build(snapshot, base_url=base_url, known=known)
    sections = tuple(section for section in _sections(snapshot, times, known) if section.lines)
    title = DRAFT.format(title=short.title).in_language(language)
    return str(render(replace(short, title=title, sections=sections), "markdown", language, LIMIT))


def _sections(snapshot: IncidentSnapshot, times: Times, known: Known) -> Iterator[Section]:
    verdict = snapshot.verdict
    yield Section(Text("Summary"), tuple(_summary_lines(snapshot, times)))
    yield Section(Text("Impact on users"), (Line(TO_WRITE),))
    yield Section(Text("Confirmed causes"), tuple(_confirmed_lines(snapshot, known)))
    for cause in verdict.causes[: report.CAUSES] if verdict else ():
        yield _cause_section(cause, known)
    yield from _other_sections(verdict, known)
    yield _middle_cut(Text("Timeline"), _timeline(snapshot, times))
    yield Section(Text("Phases"), tuple(_phase_line(phase) for phase in phases(times)))
    yield Section(Text("What went well, what went badly"), (Line(TO_WRITE),))
    yield Section(Text("Follow-up work"), tuple(_follow_up(verdict)))


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _line(text: Text, url: str = "") -> Line:
    return Line(bounded(text), url=url)


def _summary_lines(snapshot: IncidentSnapshot, times: Times) -> Iterator[Line]:
    severity, lasted = SEVERITY_NAMES[snapshot.severity], duration(phases(times)[-1].lasted)
    yield _line(Text("Severity: {severity}", severity=severity))
    yield _line(Text("First alert: {at}", at=_utc(times.first_alert)))
    yield _line(Text("Resolved: {at}", at=_utc(times.resolved) if times.resolved else NOT_YET))
    yield _line(Text("Lasted: {lasted}", lasted=lasted))
    if times.reopened == 1:
        yield _line(Text("Reopened: once"))
    elif times.reopened:
        yield _line(Text("Reopened: {times} times", times=times.reopened))
    yield _line(Text("Alerts: {alerts}", alerts=len(snapshot.alerts)))
    for entity in snapshot.entities[:ENTITIES]:
        name = named(entity.key)
        where = "/".join(part for part in (entity.cluster, entity.namespace) if part)
        there = Text("Affected: {entity} ({where})", entity=name, where=where)
        yield _line(there if where else Text("Affected: {entity}", entity=name))
    for key in snapshot.tickets:
        if not key.startswith("ALERT{"):
            yield _line(Text("Ticket: {key}", key=key))


def _confirmed_lines(snapshot: IncidentSnapshot, known: Known) -> Iterator[Line]:
    for entry in snapshot.confirmed:
        title, fixed = known.title(entry.cause), entry.fixed_by
        line = Text("{title}, by {by} at {at}")
        if fixed:
            line = Text("{title}, by {by} at {at}; fixed by {fixed}", fixed=fixed)
        yield _line(line.format(title=title, by=entry.by, at=_utc(entry.at)))
    if not snapshot.confirmed:
        yield _line(Text("Nobody has confirmed a cause yet; the ranking below is the service's own."))


def _cause_section(cause: RankedCause, known: Known) -> Section:
    """All terms that spoke, the strongest first, with their weight and their query."""
    terms = sorted((t for t in cause.terms if t.outcome is not Outcome.UNKNOWN), key=lambda t: -abs(t.weight))
    lines = [
        Line(
            bounded(Text("{weight:+.1f} {sentence}", weight=t.weight, sentence=t.sentence)),
            query=shown.query,
            query_url=shown.query_url,
        )
        for t, shown in zip(terms, report.evidence(terms, known), strict=True)
    ]
    title = report.chance(cause.title, cause.probability)
    numbered = Text("{position}. {title}", position=cause.position, title=title)
    return Section(numbered, tuple(lines[:TERMS]), max(0, len(lines) - TERMS), yields=2)


def _other_sections(verdict: Verdict | None, known: Known) -> Iterator[Section]:
    """What was ruled out, what is missing, what is similar: all of it."""
    if verdict is None:
        return
    titles = Known(known.prometheus, {**known.titles, **{c.cause: c.title for c in verdict.causes}})
    out = [report.labelled(titles.title(r.cause), r.sentence) for r in verdict.ruled_out]
    yield Section(Text("Ruled out"), tuple(Line(text) for text in out), yields=4)
    yield Section(Text("Evidence that is missing"), tuple(Line(bounded(m)) for m in verdict.missing), yields=4)
    alike = tuple(report.similar_line(past, titles) for past in verdict.similar)
    yield Section(Text("Similar incidents"), alike, yields=4)


def _timeline(snapshot: IncidentSnapshot, times: Times) -> list[Line]:
    moments = sorted(_moments(snapshot, times), key=lambda moment: moment[0])
    return [_line(Text("{at} {what}", at=_utc(at), what=text), url) for at, text, url in moments]


def _moments(snapshot: IncidentSnapshot, times: Times) -> Iterator[tuple[datetime, Text, str]]:
    """Alerts, changes, verdicts and what people did, each with its time."""
    for alert in snapshot.alerts:
        name = clipped(alert.title or alert.name, report.HEADING)
        yield alert.started_at, Text("Alert ({source}): {name}", source=alert.source, name=name), ""
        if alert.ended_at:
            yield alert.ended_at, Text("Alert ended: {name}", name=name), ""
    for change in snapshot.changes:
        title = clipped(change.title, report.HEADING)
        yield change.at, Text("Change ({kind}): {title}", kind=change.kind, title=title), change.url
    yield times.opened, Text("Incident opened"), ""
    for number, (at, headline) in enumerate(times.verdicts):
        what = Text("Verdict changed") if number else Text("First verdict")
        yield at, Text("{what}: {headline}", what=what, headline=headline), ""
    if times.acknowledged:
        by = times.acknowledged_by
        yield times.acknowledged, Text("Acknowledged by {by}", by=by), ""
    for entry in snapshot.confirmed:
        yield entry.at, Text("{by} named the cause: {cause}", by=entry.by, cause=entry.cause), ""
    if times.resolved:
        yield times.resolved, Text("Incident resolved", context="timeline"), ""


def _middle_cut(title: Text, lines: Sequence[Line]) -> Section:
    """The beginning and the end of a long list; what lies between is counted."""
    if len(lines) <= MOMENTS:
        return Section(title, tuple(lines), yields=1)
    half, left = MOMENTS // 2, len(lines) - MOMENTS
    gap = _line(Text("{left} moments in between are left out", left=left))
    return Section(title, (*lines[:half], gap, *lines[-half:]), yields=1)


def _phase_line(phase: Phase) -> Line:
    sentence = Text(
        "{phase}: {lasted} ({definition})", phase=phase.name, lasted=duration(phase.lasted), definition=phase.definition
    )
    return _line(sentence)


def _follow_up(verdict: Verdict | None) -> Iterator[Line]:
    yield Line(TO_WRITE)
    if verdict and verdict.causes and verdict.causes[0].next_steps:
        yield Line(PROPOSED)
    for step in verdict.causes[0].next_steps if verdict and verdict.causes else ():
        yield report.step_line(step)
