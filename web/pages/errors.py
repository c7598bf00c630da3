"""What stands where nothing is, or where the service itself failed: a page for people, a problem for programs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from ingest.bodies import refusal

FOR_PROGRAMS = ("/api/v1/", "/ingest/", "/tickets/")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the sentence that came with it, and the way back."""
    said = str(exception) if exception and exception.args and isinstance(exception.args[0], str) else ""
    if request.path.startswith(FOR_PROGRAMS):
        return refusal(404, "Not found", "there is no such address; see /api/docs")
    return render(request, "web/not_found.html", {"said": said or gettext("There is no such page.")}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """500: without the record and without a template, since either may be what failed."""
    if request.path.startswith(FOR_PROGRAMS):
        return refusal(500, "Internal error", "the service failed; its log says why")
    text = gettext("The service failed. Its log says why; try again in a minute.")
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
