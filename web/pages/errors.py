"""What stands where nothing is, or where the service itself failed: a page for people, a problem for programs."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from incidents.bodies import refusal

FOR_PROGRAMS = ("/api/v1/", "/ingest/", "/tickets/")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the sentence that came with it, and the way back."""
    message = str(exception) if exception and exception.args and isinstance(exception.args[0], str) else ""
    if request.path.startswith(FOR_PROGRAMS):
        return refusal(404, "Not found", "there is no such address; see /api/docs")
    shown = {"title": gettext("Not found"), "message": message or gettext("There is no such page.")}
    return render(request, "web/error.html", shown, status=404)


def not_done(request: HttpRequest, back: str) -> HttpResponse:
    """405: the address of a button was opened like a page, as after signing in or with a reload."""
    message = gettext("This address belongs to a button. Nothing was changed; go to its page and press it there.")
    shown = {"title": gettext("Nothing was done"), "message": message, "url": back, "here": back}
    answer = render(request, "web/error.html", shown, status=405)
    answer["Allow"] = "POST"
    return answer


def not_ours(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form without the proof that it came from a page of ours."""
    if request.path.startswith(FOR_PROGRAMS):
        return refusal(403, "Forbidden", "a session needs its CSRF token; programs send a bearer token instead")
    message = gettext(
        "The form was too old, or your browser keeps no cookies for this site. Nothing was changed: allow cookies, "
        "load the page again, and repeat it."
    )
    return render(request, "web/error.html", {"title": gettext("Nothing was done"), "message": message}, status=403)


def not_understood(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: most often a host name that nobody declared, so no page is made, as its links would carry the name."""
    message = "The request was not understood."
    if isinstance(exception, DisallowedHost):
        message = (
            "This service does not answer to that host name: add it to ALLOWED_HOSTS, set PUBLIC_URL, start again."
        )
    return HttpResponse(f"{message}\n", status=400, content_type="text/plain; charset=utf-8")


def failed(request: HttpRequest) -> HttpResponse:
    """500: without the record and without a template, since either may be what failed."""
    if request.path.startswith(FOR_PROGRAMS):
        return refusal(500, "Internal error", "the service failed; its log says why")
    text = gettext("The service failed. Its log says why; try again in a minute.")
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
