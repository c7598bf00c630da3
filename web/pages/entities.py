"""One entity: which names mean it and why, what it hangs on, its incidents; merged and taken apart by a button."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from connections.declared import connections_for
from domain.errors import Refused
from domain.text import Text
from incidents import entity_reads
from incidents.models import Entity
from incidents.same_entity import entity_named, merge, unmerge
from web.pages.actions import action

REASON_MOST = 200


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The entity of `?key=`."""
    entity = _or_404(request.GET.get("key", ""))
    return render(request, "web/entity.html", {"known": entity_reads.known(entity), "entity": entity})


@action("incidents")
def merge_into(request: HttpRequest) -> HttpResponse:
    """Say that the entity `key` is the entity `into`, for a reason that is kept."""
    one, reason = _or_404(request.POST.get("key", "")), request.POST.get("because", "").strip()[:REASON_MOST]
    try:
        if not reason:
            raise Refused(gettext("Write down what names both; it is kept in the audit trail."))
        into = entity_named(request.POST.get("into", "").strip())
        changed = merge(one, into, request.user.get_username(), Text.rendered(reason, reason), connections_for)
    except Refused as error:
        messages.error(request, str(error))
        return redirect(_address(one.key))
    messages.success(request, gettext("They are one now. Incidents that changed: %d") % changed)
    return redirect(_address(into.key))


@action("incidents")
def take_apart(request: HttpRequest) -> HttpResponse:
    """Let a merged entity stand for itself again."""
    one = _or_404(request.POST.get("key", ""))
    try:
        changed = unmerge(one, request.user.get_username(), connections_for)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("It stands for itself again. Incidents that changed: %d") % changed)
    return redirect(_address(one.key))


def _or_404(key: str) -> Entity:
    try:
        return entity_named(key[:500])
    except Refused as error:
        raise Http404(gettext("There is no entity %s.") % key[:80]) from error


def _address(key: str) -> str:
    return reverse("entity", query={"key": key})
