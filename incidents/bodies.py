"""Request bodies and error answers of the HTTP doors: a body has a size limit, an error names its remedy."""

from django.http import HttpRequest, HttpResponse, JsonResponse


def refusal(status: int, title: str, detail: str, **headers: str) -> HttpResponse:
    """An error as application/problem+json; it names the remedy and no secret."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def too_large(limit: int) -> HttpResponse:
    """413 with the limit in bytes."""
    return refusal(413, "Too large", f"the limit is {limit} bytes; send less at once")


def announced(request: HttpRequest) -> int:
    """Content-Length in bytes, 0 when it is absent or no number."""
    text = str(request.META.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def read_body(request: HttpRequest, limit: int) -> bytes | HttpResponse:
    """The whole body of at most `limit` bytes, or the error response to send."""
    try:
        body = request.read(limit + 1)
    except OSError:
        return refusal(400, "Incomplete body", "the connection ended while the body was read; send it again")
    if not body.strip():
        return refusal(415, "Empty body", "send it as JSON")
    if len(body) > limit:
        return too_large(limit)
    if len(body) < announced(request):
        return refusal(400, "Incomplete body", "the connection ended before the announced length; send it again")
    return bytes(body)
