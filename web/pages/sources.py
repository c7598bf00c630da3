"""The sources page: what sends alerts, when it last did, and how to set each kind up."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents import sources
from ingest.sources import all_sources


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Sources with their last delivery; the set-up text has a placeholder where the token belongs."""
    kinds = all_sources()
    rows = list(sources.sources())
    return render(
        request,
        "web/sources.html",
        {
            "rows": [(row, kinds.get(row.kind), door_of(row.kind, row.name)) for row in rows],
            "kinds": [
                (kind, _setup(kind.kind, next((r.name for r in rows if r.kind == kind.kind), "NAME")))
                for kind in kinds.values()
            ],
        },
    )


def door_of(kind: str, name: str) -> str:
    """The address that the sender posts to."""
    return f"{settings.PUBLIC_URL}/ingest/{kind}/{name}"


def _setup(kind: str, name: str) -> object:
    return all_sources()[kind].setup(door_of(kind, name), "TOKEN")
