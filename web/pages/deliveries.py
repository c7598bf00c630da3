"""Parked and dead deliveries: what came and could not be understood, with the reason and a way to try again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from incidents import deliveries
from incidents.models import Delivery
from ingest.tasks import nudge_delivery
from web.pages.actions import action


def raw_text(row: Delivery) -> str:
    """The beginning of a raw body, as a row that was asked for with it has it, as text."""
    return bytes(row.beginning).decode("utf-8", "replace")  # type: ignore[attr-defined]


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The newest first, 25 a page."""
    rows = Paginator(deliveries.with_beginnings(deliveries.stuck_deliveries()), 25).get_page(request.GET.get("page"))
    shown = [(row, raw_text(row)) for row in rows]
    return render(request, "web/deliveries.html", {"rows": rows, "shown": shown})


@require_safe
@login_required
def one(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """The incident that a delivery led to: the address that the door answers with, before there is an incident."""
    row = get_object_or_404(Delivery, pk=delivery_id)
    incident = deliveries.incident_of_delivery(row)
    if incident is not None:
        return redirect("incident", incident_id=incident.pk)
    if row.state in {"parked", "dead"}:
        return redirect("deliveries")
    messages.info(request, gettext("The delivery is being worked on, or it held nothing that makes an incident."))
    return redirect("incidents")


@action("deliveries")
def replay(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Back into the queue."""
    row = get_object_or_404(deliveries.stuck_deliveries(), pk=delivery_id)
    deliveries.replay_delivery(row, request.user.get_username())
    nudge_delivery(str(row.pk))
    messages.success(request, gettext("The delivery is in the queue again."))
    return redirect("deliveries")
