"""The incident list: filters are a GET form, so an address is a saved view."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from domain.alerts import Severity
from incidents import queries
from incidents.models import Incident
from web.pages.causes import title_of

PAGE_SIZE = 30


def moment(text: str) -> datetime | None:
    """A date or date-time of the address, as UTC when no zone is given; None if it is neither.

    `24h` or `7d` count back from now.
    """
    try:
        if text[-1:] in {"h", "d"} and text[:-1].isdigit() and len(text) <= 5:
            return timezone.now() - timedelta(hours=int(text[:-1]) * (24 if text.endswith("d") else 1))
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)) is not None:
            found = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if found is None or found.tzinfo is None:
            return found and found.replace(tzinfo=UTC)
        return found.astimezone(UTC)  # at the ends of the calendar another zone's time has none here
    except (ValueError, OverflowError):
        return None


def spans(asked: str) -> list[tuple[str, str]]:
    """How far back the list may reach, and what the address asks for where it is none of these."""
    offered = [("1h", gettext("within an hour")), ("24h", gettext("within a day")), ("7d", gettext("within 7 days")),
               ("30d", gettext("within 30 days"))]  # fmt: skip
    own = [(asked, asked)] if moment(asked) and asked not in dict(offered) else []
    return [*own, *offered]


def filter_of(asked: QueryDict) -> queries.IncidentFilter:
    """The filter in an address; what cannot be understood is left out."""
    words = {
        name: asked.get(name, "").strip()[:200].replace("\0", "")
        for name in ("state", "cause", "entity", "severity", "text")
    }
    if words["state"] not in Incident.State.values:
        words["state"] = ""
    return queries.IncidentFilter(**words, since=moment(asked.get("since", "")), until=moment(asked.get("until", "")))


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The list, newest first."""
    wanted = filter_of(request.GET)
    rows = Paginator(queries.incidents(wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    for row in rows:
        row.cause_title = title_of(row.first_cause)  # type: ignore[attr-defined]
    kept = request.GET.copy()
    kept.pop("page", None)
    slugs = queries.first_causes()
    return render(
        request,
        "web/incident_list.html",
        {
            "rows": rows,
            "asked": request.GET,
            "kept": kept.urlencode(),
            "filtered": any(
                request.GET.get(name) for name in ("state", "cause", "entity", "severity", "text", "since", "until")
            ),
            "causes": sorted(((slug, title_of(slug)) for slug in slugs), key=lambda c: str(c[1])),
            "spans": spans(request.GET.get("since", "")),
            "severities": [(s.value, s.rank) for s in reversed(Severity)],
            "stamp": _stamp(),
        },
    )


@require_safe
@login_required
def stamp(request: HttpRequest) -> HttpResponse:
    """Changes when any incident changes; asked by the watched page."""
    return HttpResponse(_stamp(), content_type="text/plain")


def _stamp() -> str:
    change = queries.latest_change()
    return f"{change[0].timestamp()}-{change[1]}-{change[2]}" if change else ""
