"""The incident page: the verdict first, then everything that it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

import msgspec
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.http import require_safe

from domain import codec
from domain.alerts import ParsedAlert
from domain.entities import named
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, TermResult, Verdict
from evidence.checks import all_measures
from incidents import deliveries, feedback, lifecycle, queries, tickets, watch_leases
from incidents.models import Alert, Delivery, Feedback, Incident
from notify import outbox
from notify.reports import changed_verdicts, known
from tickets.render.form import safe_url
from tickets.report import graph_page
from web.drawing.chart import line_chart
from web.drawing.graph import draw, picture_of
from web.pages.actions import action
from web.pages.causes import choices, title_of
from web.pages.deliveries import raw_text

RAW_SHOWN = 10
NO_SERVERS: Mapping[str, str] = {}
# Requests to an API and probes stand where a query does; a Prometheus cannot draw them.
NOT_PROMQL = ("GET ", "PROBE ")
ABOUT = Text("about {subject} ({why})")
REPORTED = Text("about {subject} ({why}), reported by {reporter}")


@dataclass(frozen=True, slots=True)
class ShownTerm:
    """A term with the chart and the detail lines of the finding behind it.

    `charted` says what the lines are where they are not the term's value; `url` is the page of the declared
    Prometheus that draws the query over the term's range.
    """

    term: TermResult
    chart: SafeString
    finding: Finding | None
    charted: Text | None = None
    items_unit: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShownCause:
    """A cause with its terms in reading order: for, against, unknown; the strongest first.

    `opened` is the measure whose evidence is shown unasked: of the strongest term for it that has a chart.
    """

    cause: RankedCause
    terms: tuple[ShownTerm, ...]
    counts: tuple[int, int, int]
    opened: str = ""


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with the unit of its detail lines; it is listed without a chart."""

    finding: Finding
    items_unit: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline. `kind` is its style: fired, ended, looked, ranked, done."""

    at: datetime
    kind: str
    text: str
    detail: str = ""


def incident_or_404(incident_id: str) -> Incident:
    """The incident by id or number."""
    row = queries.incident(incident_id)
    if row is None:
        raise Http404(gettext("There is no incident %s.") % incident_id[:80])
    return row


@require_safe
@login_required
def page(request: HttpRequest, incident_id: str) -> HttpResponse:
    """The whole page; the same answer serves first load and refresh."""
    row = incident_or_404(incident_id)
    snapshot = queries.snapshot(str(row.pk))
    verdict, language = snapshot.verdict, get_language() or "en"
    feedback = list(queries.confirmations(row))
    context = {
        "incident": row,
        "snapshot": snapshot,
        "verdict": verdict,
        "language": language,
        "causes": shown_causes(verdict, list(snapshot.findings), row.started_at, known().prometheus),
        "beside": measured_beside(verdict, snapshot.findings),
        "ruled_out": [(r, title_of(r.cause)) for r in verdict.ruled_out] if verdict else [],
        "similar": [(s, title_of(s.cause)) for s in verdict.similar] if verdict else [],
        "feedback": [(f, title_of(f.cause)) for f in feedback],
        "timeline": timeline(row, snapshot.changes, feedback),
        "deliveries": raw_deliveries(row),
        # Labels by which a ticket can be found are not keys that a person knows.
        "tickets": [(link, safe_url(link.url)) for link in tickets.links(row) if not link.key.startswith("ALERT{")],
        "outbox": outbox.of_incident(row),
        "ties": queries.ties(row),
        "choices": choices(),
        "picture": picture(snapshot, verdict, language),
        "stamp": _stamp(row),
    }
    return render(request, "web/incident.html", context)


def picture(snapshot: IncidentSnapshot, verdict: Verdict | None, language: str) -> SafeString:
    """The incident's neighbourhood with its words."""
    found = picture_of(snapshot, verdict, language)
    more = ngettext("%d more is not drawn", "%d more are not drawn", found.more) % found.more if found.more else ""
    headings = (
        gettext("alerts"),
        gettext("what they are about"),
        gettext("the incident"),
        gettext("causes, and alike"),
    )
    return draw(found, gettext("What hangs together in this incident"), headings, more)


def shown_causes(
    verdict: Verdict | None, findings: list[Finding], start: datetime, servers: Mapping[str, str] = NO_SERVERS
) -> list[ShownCause]:
    """The ranked causes with charts; each chart is drawn once, at the first term that uses it.

    `servers` are the addresses of the declared Prometheus servers by name.
    """
    by_measure, drawn = {f.measure: f for f in findings}, set[str]()
    shown = [_shown(cause, by_measure, drawn, start) for cause in (verdict.causes if verdict else ())]
    return [replace(one, terms=tuple(_linked(term, servers) for term in one.terms)) for one in shown]


def _linked(shown: ShownTerm, servers: Mapping[str, str]) -> ShownTerm:
    """The term with the way to its query, where its server is declared."""
    term = shown.term
    server = servers.get(term.connection, "") if term.query and not term.query.startswith(NOT_PROMQL) else ""
    return replace(shown, url=safe_url(graph_page(server, term.query, term)))


def _shown(cause: RankedCause, by_measure: dict[str, Finding], drawn: set[str], start: datetime) -> ShownCause:
    order = list(Outcome)
    terms = sorted(cause.terms, key=lambda t: (order.index(t.outcome), -abs(t.weight)))
    shown = []
    for term in terms:
        finding = by_measure.get(term.measure)
        charts = finding is not None and bool(finding.series) and (cause.position == 1 or term.measure not in drawn)
        shown.append(_with_chart(term, finding, start if charts else None))
        if charts:
            drawn.add(term.measure)
    counts = tuple(sum(t.outcome is outcome for t in terms) for outcome in order)
    charted = [s.term.measure for s in shown if s.chart and s.term.outcome is Outcome.FOR]
    return ShownCause(cause, tuple(shown), cast(tuple[int, int, int], counts), next(iter(charted), ""))


def _with_chart(term: TermResult, finding: Finding | None, start: datetime | None) -> ShownTerm:
    """`start` is None where no chart is wanted. Lines that are not the value itself have no limit."""
    declared = all_measures().get(term.measure)
    charted = declared.charted if declared else None
    chart = SafeString("")
    if finding is not None and start is not None:
        unit, limit = (charted.unit, None) if charted else (finding.unit, finding.limit)
        title = (charted.what if charted else term.sentence).in_language(get_language() or "en")
        chart = line_chart(finding.series, unit=unit, limit=limit, start=start, title=title)
    return ShownTerm(term, chart, finding, charted.what if charted else None, _items_unit(term.measure, term.unit))


def _items_unit(measure: str, unit: str) -> str:
    """That of a finding's details; none where no check declares them, as the unusual series score in no unit."""
    declared = all_measures().get(measure)
    return declared.items_unit or unit if declared else ""


def measured_beside(verdict: Verdict | None, findings: Iterable[Finding]) -> list[ShownFinding]:
    """What was found out and is no term of a listed cause, what was seen first; without an answer only what has
    details, such as the intervals and delays of the witnesses."""
    read = {t.measure for cause in verdict.causes for t in cause.terms} if verdict else set()
    unlisted = [f for f in findings if f.measure not in read and (f.seen is not None or f.items)]
    ordered = sorted(unlisted, key=lambda f: (not f.seen, f.measure))
    return [ShownFinding(f, _items_unit(f.measure, f.unit)) for f in ordered]


def _about(parsed: ParsedAlert) -> str:
    """What the alert is about, what decided it, and who only reports it, in the reader's language."""
    if parsed.subject is None or not parsed.subject.name:
        return ""
    sentence = REPORTED if parsed.reporter else ABOUT
    about = sentence.format(subject=named(parsed.subject.key), why=parsed.decided_by, reporter=parsed.reporter)
    return about.in_language(get_language() or "en")


def _counted(alert: Alert, annotations: Mapping[str, str]) -> str:
    """What was counted in a Kubernetes event, in the reader's language."""
    if alert.source.kind != watch_leases.KIND:
        return ""
    description = Text.rendered(annotations.get("description", ""), annotations.get("description_zh", ""))
    return description.in_language(get_language() or "en")


def _reason(kept: Any) -> Text | None:
    """Why an alert joined; None for one that opened its incident, or that another version wrote differently."""
    try:
        return codec.convert(kept, Text) if kept else None
    except msgspec.ValidationError:
        return None


def timeline(row: Incident, changes: Iterable[ChangeRef], feedback: Iterable[Feedback]) -> list[Moment]:
    """Alerts, changes, looks, verdicts and what people did, oldest first."""
    moments = [Moment(c.at, "looked", c.title, gettext("change")) for c in changes]
    for alert in queries.alert_rows(row):
        reason = _reason(alert.joined_because)
        why = reason.in_language(get_language() or "en") if reason else ""
        parsed = codec.decode(alert.parsed, ParsedAlert)
        parts = (str(alert.source), why, _about(parsed), _counted(alert, parsed.annotations))
        moments.append(Moment(alert.started_at, "fired", alert.title or alert.name, " · ".join(p for p in parts if p)))
        if alert.ended_at:
            moments.append(Moment(alert.ended_at, "ended", alert.title or alert.name, gettext("resolved")))
    # A second look at the same moment, for measurements that came late, is no second line.
    looks = queries.look_times(row)
    moments += [Moment(at, "looked", gettext("Checks asked the infrastructure")) for at in looks]
    return sorted([*moments, *_verdicts(row), *_phases(row, feedback)], key=lambda m: m.at)


def _verdicts(row: Incident) -> list[Moment]:
    if not row.suggested_at:
        return []
    names = (gettext("First verdict"), gettext("Verdict changed"))
    headlines = [(at, headline.in_language(get_language() or "en")) for at, headline in changed_verdicts(row)]
    found = [Moment(at, "ranked", names[number > 0], headline) for number, (at, headline) in enumerate(headlines)]
    return found or [Moment(row.suggested_at, "ranked", names[0])]


def judgement_word(kind: str) -> str:
    """Confirmed, rejected or corrected, in the reader's language."""
    return {"confirmed": gettext("confirmed"), "rejected": gettext("rejected")}.get(kind, gettext("corrected"))


def _phases(row: Incident, feedback: Iterable[Feedback]) -> list[Moment]:
    found = []
    if row.acknowledged_at:
        found.append(Moment(row.acknowledged_at, "done", gettext("Acknowledged by %s") % row.acknowledged_by))
    if row.resolved_at:
        found.append(Moment(row.resolved_at, "ended", gettext("Incident resolved")))
    for entry in feedback:
        title = title_of(entry.cause).in_language(get_language() or "en")
        found.append(Moment(entry.at, "done", f"{entry.by}: {judgement_word(entry.kind)} – {title}", entry.note))
    return found


def raw_deliveries(row: Incident) -> list[tuple[Delivery, str]]:
    """The newest raw bodies that brought alerts of the incident, as text."""
    rows = deliveries.with_beginnings(deliveries.deliveries_of(row))[:RAW_SHOWN]
    return [(d, raw_text(d)) for d in rows]


@require_safe
@login_required
def stamp(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Changes when the incident changes; asked by the watched page."""
    return HttpResponse(_stamp(incident_or_404(incident_id)), content_type="text/plain")


def _stamp(row: Incident) -> str:
    revision = queries.verdict_count(row)
    seen = row.acknowledged_at.timestamp() if row.acknowledged_at else 0
    return f"{row.state}-{row.last_alert_at.timestamp()}-{revision}-{seen}"


@action("incident", incident_id="incident_id")
def acknowledge(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Somebody looks at it."""
    row = queries.survivor(incident_or_404(incident_id))
    lifecycle.acknowledge(row, request.user.get_username())
    messages.success(request, gettext("Acknowledged."))
    return redirect("incident", incident_id=row.pk)


@action("incident", incident_id="incident_id")
def give_feedback(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Confirm, reject or correct a cause."""
    row = queries.survivor(incident_or_404(incident_id))
    kind, cause = request.POST.get("kind", ""), request.POST.get("cause", "")
    if kind not in {"confirmed", "rejected", "corrected"} or cause not in dict(choices()):
        messages.error(request, gettext("Choose a judgement and a cause from the lists."))
        return redirect("incident", incident_id=row.pk)
    fixed_by, note = (request.POST.get(name, "").replace("\0", "") for name in ("fixed_by", "note"))
    feedback.add(row, request.user.get_username(), kind, cause, fixed_by, note)
    messages.success(request, gettext("Thank you. Similar incidents will know of it."))
    return redirect("incident", incident_id=row.pk)
