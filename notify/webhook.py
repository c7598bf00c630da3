"""The door of ticket systems: a genuine webhook becomes one durable row before it is answered."""

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from domain.errors import Refused
from incidents.bodies import announced, read_body, refusal, too_large
from incidents.callers import slowed
from notify import targets, ticket_events
from notify.targets import Target
from notify.tasks import nudge_webhook
from tickets.transport import secrets_of
from tickets.webhook_auth import is_genuine

LIMIT = 2 * 1024 * 1024
KEPT_HEADERS = ("X-Atlassian-Webhook-Identifier", "X-Atlassian-Webhook-Retry", "Content-Type", "User-Agent")
log = structlog.get_logger()


@csrf_exempt
def door(request: HttpRequest, name: str, path: str = "") -> HttpResponse:
    """`POST /tickets/<name>/webhook[/<secret path>]`: 202 once the event is durable."""
    if request.method != "POST":
        return refusal(405, "Method not allowed", "send events with POST; a GET here means a redirect", Allow="POST")
    if announced(request) > LIMIT:
        return too_large(LIMIT)
    body = read_body(request, LIMIT)
    if isinstance(body, HttpResponse):
        return body
    try:
        target = targets.declared_targets().get(f"ticket:{name}")
        if target is None or not _is_genuine(target, request, body, path):
            wrong = refusal(401, "Unauthorized", "unknown ticket system, wrong secret path or wrong signature")
            return slowed(request, wrong)
        headers = {h: request.headers[h][:500] for h in KEPT_HEADERS if h in request.headers}
        row = ticket_events.accept(target.name, body, headers, timezone.now())
    except DatabaseError:
        log.exception("record_unavailable")
        return refusal(503, "Try again", "the record cannot be written at the moment", **{"Retry-After": "5"})
    nudge_webhook(str(row.pk))
    return JsonResponse({"id": str(row.pk)}, status=202)


def _is_genuine(target: Target, request: HttpRequest, body: bytes, path: str) -> bool:
    try:
        return is_genuine(secrets_of(target.declared, settings.DECLARED_SECRET), request.headers, body, path)
    except Refused as error:
        log.warning("webhook_secret_unreadable", target=target.name, error=str(error))
        return False
