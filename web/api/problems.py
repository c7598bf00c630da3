"""Errors as application/problem+json (RFC 9457)."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response


def problem(status: int, title: str, **more: Any) -> Response:
    """One problem; `more` may hold `detail`, `tried`, `errors`."""
    return Response({"type": "about:blank", "title": title, "status": status, **more}, status=status,
                    content_type="application/problem+json")  # fmt: skip


def as_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF raised, as a problem; None for what is a fault of ours."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if not isinstance(error, exceptions.APIException):
        return None
    more = {"errors": error.detail} if isinstance(error, exceptions.ValidationError) else {"detail": str(error.detail)}
    answer = problem(error.status_code, str(error.default_detail), **more)
    if challenge := getattr(error, "auth_header", None):
        answer["WWW-Authenticate"] = str(challenge)
    return answer
