"""The outbox page: what waits, what needs a person, and what dry runs would have sent."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from incidents import audit, queries
from incidents.models import Incident
from notify import outbox, targets
from notify.models import Outbox
from notify.tasks import nudge_notify
from web.pages.actions import action

STATES = ("dead", "waiting", "done")


def narrowed(state: str, target: str) -> QuerySet[Outbox]:
    """Rows of a state and a target; without a state what is not done, and the previews of dry runs."""
    rows = outbox.rows_in_order()
    rows = rows.filter(state=state) if state in STATES else rows.exclude(state="done", preview=[])
    return rows.filter(target=target[:140].replace("\0", "")) if target else rows


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Dead rows first, then what waits, then dry runs; 25 a page."""
    state, target = request.GET.get("state", ""), request.GET.get("target", "")
    rows = Paginator(narrowed(state, target), 25).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    shown = _with_incidents(rows)
    loads = outbox.loads()
    return render(request, "web/outbox.html", {
        "rows": rows, "shown": shown, "loads": loads, "state": state, "target": target, "kept": kept.urlencode(),
        "now": timezone.now(), "targets": list(targets.declared_targets()),
    })  # fmt: skip


def _with_incidents(rows: Iterable[Outbox]) -> list[tuple[Outbox, Incident | None]]:
    listed = list(rows)
    found = queries.incidents_by_id([row.object for row in listed])
    return [(row, found.get(row.object)) for row in listed]


@action("outbox")
def send_again(request: HttpRequest, row_id: int) -> HttpResponse:
    """One row is due now."""
    row = get_object_or_404(outbox.rows_in_order(), pk=row_id)
    redrive(outbox.rows_in_order().filter(pk=row.pk), request.user.get_username(), str(row))
    messages.success(request, gettext("It is due now and goes with the next round."))
    return redirect("outbox")


@action("outbox")
def send_all_again(request: HttpRequest) -> HttpResponse:
    """All dead rows of a target are due now."""
    target = request.POST.get("target", "")[:140]
    number = redrive(outbox.unsent().filter(target=target.replace("\0", "")), request.user.get_username(), target)
    messages.success(request, gettext("%d rows are due now.") % number)
    return redirect("outbox")


def redrive(rows: QuerySet[Outbox], by: str, what: str) -> int:
    """Sends rows again, with a line in the audit trail; how many."""
    number = outbox.send_again(rows, timezone.now())
    audit.write(by, "send again", what, {"rows": str(number)})
    nudge_notify()
    return number
