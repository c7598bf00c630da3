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
DRAFT = Text("Postmortem draft: {title}", "复盘草稿：{title}")
TO_WRITE = Text("To be written by people.", "由人填写。")
PROPOSED = Text("Proposed by the catalogue for the first cause:", "目录针对首位原因的建议：")
NOT_YET = Text("not yet", "尚未")


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
        Phase(Text("To detect", "发现耗时"),
              Text("from the start of the first alert, by the monitoring's clock, to the incident's opening here",
                   "从首个告警开始（按监控系统时钟）到事件在本服务中创建"), times.first_alert, times.opened),
        Phase(Text("To suggest a cause", "给出原因耗时"),
              Text("from the start of the first alert to the first verdict", "从首个告警开始到首个结论"),
              times.first_alert, times.suggested),
        Phase(Text("To acknowledge (MTTA)", "确认耗时（MTTA）"),
              Text("from the start of the first alert to the first person who acknowledged it",
                   "从首个告警开始到首位人员确认"), times.first_alert, times.acknowledged),
        Phase(Text("To repair", "修复耗时"),
              Text("from the acknowledgement to the end of the last alert", "从确认到最后一个告警结束"),
              times.acknowledged, times.resolved),
        Phase(Text("To resolve (MTTR)", "恢复耗时（MTTR）"),
              Text("from the start of the first alert to the end of the last one", "从首个告警开始到最后一个告警结束"),
              times.first_alert, times.resolved),
    )  # fmt: skip


def duration(span: timedelta | None) -> Text:
    """A span in its two largest units."""
    if span is None:
        return NOT_YET
    left = int(span.total_seconds())
    parts: list[tuple[str, str]] = []
    for unit, zh, size in (("d", "天", 86_400), ("h", "小时", 3_600), ("min", "分钟", 60), ("s", "秒", 1)):
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append((f"{count} {unit}", f"{count} {zh}"))
    return Text(" ".join(en for en, _ in parts[:2]), " ".join(zh for _, zh in parts[:2]))


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
    yield Section(Text("Summary", "概要"), tuple(_summary_lines(snapshot, times)))
    yield Section(Text("Impact on users", "对用户的影响"), (Line(TO_WRITE),))
    yield Section(Text("Confirmed causes", "已证实的原因"), tuple(_confirmed_lines(snapshot, known)))
    for cause in verdict.causes[: report.CAUSES] if verdict else ():
        yield _cause_section(cause, known)
    yield from _other_sections(verdict, known)
    yield _middle_cut(Text("Timeline", "时间线"), _timeline(snapshot, times))
    yield Section(Text("Phases", "各阶段"), tuple(_phase_line(phase) for phase in phases(times)))
    yield Section(Text("What went well, what went badly", "做得好与不好的地方"), (Line(TO_WRITE),))
    yield Section(Text("Follow-up work", "后续工作"), tuple(_follow_up(verdict)))


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _line(en: str, zh: str, url: str = "") -> Line:
    return Line(bounded(Text(en, zh)), url=url)


def _summary_lines(snapshot: IncidentSnapshot, times: Times) -> Iterator[Line]:
    severity, lasted = SEVERITY_NAMES[snapshot.severity], duration(phases(times)[-1].lasted)
    yield _line(f"Severity: {severity.en}", f"严重程度：{severity.zh}")
    yield _line(f"First alert: {_utc(times.first_alert)}", f"首个告警：{_utc(times.first_alert)}")
    ended = _utc(times.resolved) if times.resolved else ""
    yield _line(f"Resolved: {ended or NOT_YET.en}", f"恢复：{ended or NOT_YET.zh}")
    yield _line(f"Lasted: {lasted.en}", f"历时：{lasted.zh}")
    if times.reopened:
        often = "once" if times.reopened == 1 else f"{times.reopened} times"
        yield _line(f"Reopened: {often}", f"再次发生：{times.reopened} 次")
    yield _line(f"Alerts: {len(snapshot.alerts)}", f"告警数：{len(snapshot.alerts)}")
    for entity in snapshot.entities[:ENTITIES]:
        name = named(entity.key)
        where = "/".join(part for part in (entity.cluster, entity.namespace) if part)
        place = Text(f" ({where})", f"（{where}）") if where else Text("", "")
        yield _line(f"Affected: {name.en}{place.en}", f"受影响：{name.zh}{place.zh}")
    for key in snapshot.tickets:
        if not key.startswith("ALERT{"):
            yield _line(f"Ticket: {key}", f"工单：{key}")


def _confirmed_lines(snapshot: IncidentSnapshot, known: Known) -> Iterator[Line]:
    for entry in snapshot.confirmed:
        title, fixed = known.title(entry.cause), entry.fixed_by
        en, zh = f"{title.en}, by {entry.by} at {_utc(entry.at)}", f"{title.zh}，{entry.by} 于 {_utc(entry.at)}"
        yield _line(f"{en}; fixed by {fixed}" if fixed else en, f"{zh}；解决方式 {fixed}" if fixed else zh)
    if not snapshot.confirmed:
        yield _line("Nobody has confirmed a cause yet; the ranking below is the service's own.",
                    "尚无人证实原因；以下排序为本服务的判断。")  # fmt: skip


def _cause_section(cause: RankedCause, known: Known) -> Section:
    """All terms that spoke, the strongest first, with their weight and their query."""
    terms = sorted((t for t in cause.terms if t.outcome is not Outcome.UNKNOWN), key=lambda t: -abs(t.weight))
    lines = [
        Line(bounded(Text(f"{t.weight:+.1f} {t.sentence.en}", f"{t.weight:+.1f} {t.sentence.zh}")), query=shown.query,
             query_url=shown.query_url)
        for t, shown in zip(terms, report.evidence(terms, known), strict=True)
    ]  # fmt: skip
    title = report.chance(cause.title, cause.probability)
    numbered = Text(f"{cause.position}. {title.en}", f"{cause.position}. {title.zh}")
    return Section(numbered, tuple(lines[:TERMS]), max(0, len(lines) - TERMS), yields=2)


def _other_sections(verdict: Verdict | None, known: Known) -> Iterator[Section]:
    """What was ruled out, what is missing, what is similar: all of it."""
    if verdict is None:
        return
    titles = Known(known.prometheus, {**known.titles, **{c.cause: c.title for c in verdict.causes}})
    out = [report.labelled(titles.title(r.cause), r.sentence) for r in verdict.ruled_out]
    yield Section(Text("Ruled out", "已排除"), tuple(Line(text) for text in out), yields=4)
    yield Section(
        Text("Evidence that is missing", "缺失的证据"), tuple(Line(bounded(m)) for m in verdict.missing), yields=4
    )
    alike = tuple(report.similar_line(past, titles) for past in verdict.similar)
    yield Section(Text("Similar incidents", "相似事件"), alike, yields=4)


def _timeline(snapshot: IncidentSnapshot, times: Times) -> list[Line]:
    moments = sorted(_moments(snapshot, times), key=lambda moment: moment[0])
    return [_line(f"{_utc(at)} {text.en}", f"{_utc(at)} {text.zh}", url) for at, text, url in moments]


def _moments(snapshot: IncidentSnapshot, times: Times) -> Iterator[tuple[datetime, Text, str]]:
    """Alerts, changes, verdicts and what people did, each with its time."""
    for alert in snapshot.alerts:
        name = clipped(alert.title or alert.name, report.HEADING)
        yield alert.started_at, Text(f"Alert ({alert.source}): {name}", f"告警（{alert.source}）：{name}"), ""
        if alert.ended_at:
            yield alert.ended_at, Text(f"Alert ended: {name}", f"告警结束：{name}"), ""
    for change in snapshot.changes:
        title = clipped(change.title, report.HEADING)
        yield change.at, Text(f"Change ({change.kind}): {title}", f"变更（{change.kind}）：{title}"), change.url
    yield times.opened, Text("Incident opened", "事件创建"), ""
    for number, (at, headline) in enumerate(times.verdicts):
        what = Text("Verdict changed", "结论变更") if number else Text("First verdict", "首个结论")
        yield at, Text(f"{what.en}: {headline.en}", f"{what.zh}：{headline.zh}"), ""
    if times.acknowledged:
        by = times.acknowledged_by
        yield times.acknowledged, Text(f"Acknowledged by {by}", f"{by} 已确认"), ""
    for entry in snapshot.confirmed:
        yield entry.at, Text(f"{entry.by} named the cause: {entry.cause}", f"{entry.by} 指明原因：{entry.cause}"), ""
    if times.resolved:
        yield times.resolved, Text("Incident resolved", "事件恢复"), ""


def _middle_cut(title: Text, lines: Sequence[Line]) -> Section:
    """The beginning and the end of a long list; what lies between is counted."""
    if len(lines) <= MOMENTS:
        return Section(title, tuple(lines), yields=1)
    half, left = MOMENTS // 2, len(lines) - MOMENTS
    gap = _line(f"{left} moments in between are left out", f"中间省略 {left} 项")
    return Section(title, (*lines[:half], gap, *lines[-half:]), yields=1)


def _phase_line(phase: Phase) -> Line:
    lasted = duration(phase.lasted)
    return _line(f"{phase.name.en}: {lasted.en} ({phase.definition.en})",
                 f"{phase.name.zh}：{lasted.zh}（{phase.definition.zh}）")  # fmt: skip


def _follow_up(verdict: Verdict | None) -> Iterator[Line]:
    yield Line(TO_WRITE)
    if verdict and verdict.causes and verdict.causes[0].next_steps:
        yield Line(PROPOSED)
    for step in verdict.causes[0].next_steps if verdict and verdict.causes else ():
        yield report.step_line(step)
