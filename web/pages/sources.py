"""The sources page: what sends alerts, when it last did, and how to set each kind up."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from domain.errors import ProductError, Refused
from incidents import sources
from ingest.preview import MOST_BYTES, preview
from ingest.sources import all_sources
from web.pages.actions import action

SHOWN_MOST = 20_000


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Sources with their last delivery; the set-up text has a placeholder where the token belongs."""
    return render(request, "web/sources.html", _shown())


@action("sources")
def try_body(request: HttpRequest) -> HttpResponse:
    """What would be made of a body that is pasted or uploaded; nothing is stored."""
    kind, upload = request.POST.get("kind", ""), request.FILES.get("file")
    text = request.POST.get("body", "").encode()
    body = upload.read(MOST_BYTES + 1) if upload else text
    context: dict[str, object] = {"tried_kind": kind, "tried_body": text.decode()[:SHOWN_MOST]}
    try:
        if not body.strip():
            raise Refused(gettext("Paste a body or choose a file first."))
        context["previews"] = preview(kind, body, timezone.now())
    except ProductError as error:
        context["refused"] = str(error)
    return render(request, "web/sources.html", _shown() | context)


def _shown() -> dict[str, object]:
    kinds = all_sources()
    rows = list(sources.sources())
    return {
        "rows": [(row, kinds.get(row.kind), door_of(row.kind, row.name)) for row in rows],
        "kinds": [
            (kind, _setup(kind.kind, next((r.name for r in rows if r.kind == kind.kind), "NAME")))
            for kind in kinds.values()
        ],
    }


def door_of(kind: str, name: str) -> str:
    """The address that the sender posts to."""
    return f"{settings.PUBLIC_URL}/ingest/{kind}/{name}"


def _setup(kind: str, name: str) -> object:
    return all_sources()[kind].setup(door_of(kind, name), "TOKEN")
