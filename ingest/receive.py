"""The door of alert sources: authenticate, limit the size, store one durable row, answer, and do nothing else first."""

import base64
import binascii
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from incidents import deliveries, sources, tokens
from incidents.bodies import announced, read_body, refusal, too_large
from incidents.callers import slowed
from incidents.models import Source
from ingest.tasks import nudge_delivery

LIMIT = 8 * 1024 * 1024
SOURCE_CACHE_S = 5.0
INBOX_CACHE_S = 2.0
# The token of an unknown source is compared with this one, so that both refusals take the same time.
NOBODY = Source(kind="", name="", token_hash="0" * 64)
KEPT_HEADERS = ("User-Agent", "Content-Type", "X-Request-Id")
log = structlog.get_logger()


@csrf_exempt
def door_of_api(request: HttpRequest, name: str) -> HttpResponse:
    """`POST /ingest/alertmanager/<name>/api/v2/alerts`, as Alertmanager has it: older senders want 200 as answer."""
    answer = door(request, "alertmanager", name)
    answer.status_code = 200 if answer.status_code == 202 else answer.status_code
    return answer


@csrf_exempt
def door(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """`POST /ingest/<kind>/<name>`: 202 with id and url once the delivery is durable."""
    if request.method != "POST":
        return refusal(405, "Method not allowed", "send alerts with POST; a GET here means a redirect", Allow="POST")
    try:
        source = _source(kind, name)
        if not sources.token_fits(source or NOBODY, _token(request)) or source is None:
            challenge = 'Basic realm="ingest", Bearer realm="ingest"'
            wrong = refusal(401, "Unauthorized", "unknown source or wrong token", **{"WWW-Authenticate": challenge})
            # SNS asks without credentials first, and that tries no token.
            return slowed(request, wrong) if "Authorization" in request.headers else wrong
        return _refuse_headers(request) or _accept(request, source)
    except DatabaseError:
        log.exception("record_unavailable")
        return refusal(503, "Try again", "the record cannot be written at the moment", **{"Retry-After": "5"})


def _refuse_headers(request: HttpRequest) -> HttpResponse | None:
    """The refusal of a request with a wrong encoding, media type or length; None for an acceptable one."""
    if request.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        return refusal(415, "Unsupported encoding", "send the body uncompressed")
    if not _may_hold_alerts(request.content_type or ""):
        return refusal(415, "Unsupported media type", "send Content-Type: application/json")
    if announced(request) > LIMIT:
        return too_large(LIMIT)
    return None


def _may_hold_alerts(media_type: str) -> bool:
    """Whether senders of alerts send this type: JSON in its names, plain text as SNS does, or none at all."""
    if media_type in {"application/json", "application/json-rpc", "text/plain", "text/json", ""}:
        return True
    return media_type.startswith("application/") and media_type.endswith("+json")


def _overloaded() -> bool:
    """Whether the inbox is full, cached for `INBOX_CACHE_S` so that the door stays cheap under load."""
    return bool(cache.get_or_set("inbox-full", partial(deliveries.inbox_full, settings.INBOX_LIMIT), INBOX_CACHE_S))


def _accept(request: HttpRequest, source: Source) -> HttpResponse:
    if _overloaded():
        detail = "more deliveries wait than INBOX_LIMIT allows; see that workers run"
        return refusal(503, "Overloaded", detail, **{"Retry-After": "10"})
    body = read_body(request, LIMIT)
    if isinstance(body, HttpResponse):
        return body
    headers = {h: request.headers[h][:500] for h in KEPT_HEADERS if h in request.headers}
    delivery = deliveries.accept(source, body, headers, timezone.now())
    nudge_delivery(str(delivery.pk))
    answer: dict[str, Any] = {"id": str(delivery.pk), "url": f"{settings.PUBLIC_URL}/deliveries/{delivery.pk}/"}
    return JsonResponse(answer, status=202)


def _source(kind: str, name: str) -> Source | None:
    """The source, cached for a few seconds: a query for each request would double the door's work."""
    if not (kind + name).isprintable() or len(kind) > 40 or len(name) > 80:
        return None
    key = "source-" + tokens.hashed(f"{kind}/{name}")
    known: Source | None = cache.get(key)
    if known is None and (known := sources.source(kind, name)):
        cache.set(key, known, SOURCE_CACHE_S)
    return known


def _token(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
