"""The catalogue page, and the titles of causes for all other pages."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from causes.catalogue import all_causes
from causes.cause import LAYERS
from domain.text import Text, verbatim

# What recordings say where nothing was broken and the catalogue has no entry of its own for it.
HEALTHY = {"no-fault": Text("No fault")}


def title_of(slug: str) -> Text:
    """The cause's title; an unknown slug, as old records may hold, stays itself."""
    cause = all_causes().get(slug)
    return cause.title if cause else HEALTHY.get(slug, verbatim(slug))


def choices() -> list[tuple[str, Text]]:
    """Every cause a person can name, by slug."""
    return [(cause.slug, cause.title) for cause in all_causes().values()]


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Every cause by layer with its terms, so that a reader can check what would count."""
    ordered = sorted(all_causes().values(), key=lambda c: (LAYERS.index(c.layer), c.slug))
    return render(request, "web/causes.html", {"causes": ordered})
