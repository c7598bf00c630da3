"""A program of one's own: the verdict as JSON, signed with the time so that it cannot be sent again by others."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from domain.errors import Malformed, Refused, Unreachable
from domain.text import Text
from domain.verdict_json import to_contract
from tickets.message import message_id, sent_before, sent_receipt
from tickets.problems import RefusedWithText, problem_of
from tickets.render import render
from tickets.system import Notification, Problem, Receipt, System, TargetState, Transport
from tickets.transport import raise_retryable, send_request

WHO = "the webhook"
SIGNATURE = "X-Incident-Graph-Signature"
EVENT = "X-Incident-Graph-Event"
CHECK = "check"
ENTITIES = 200
NO_ADDRESS = Text("No address is declared; write it into url, or into a file named in url_file")
NO_SECRET = Text("No secret is declared; put at least 32 random characters into a file and name it in secret_file")
SHORT = Text("The secret is shorter than 16 characters; take at least 32 random ones")


def signature(secret: str, at_s: int, body: bytes) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the body."""
    mac = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def _payload(notification: Notification) -> dict[str, Any]:
    snapshot, verdict = notification.snapshot, notification.snapshot.verdict
    return {
        "event": notification.reason.value,
        "revision": notification.revision,
        "incident": {
            "id": snapshot.id, "number": snapshot.number, "title": snapshot.title, "state": snapshot.state,
            "severity": snapshot.severity.value, "started_at": _time(snapshot.started_at),
            "resolved_at": _time(snapshot.resolved_at),
            "entities": [entity.key for entity in snapshot.entities[:ENTITIES]],
            "tickets": list(snapshot.tickets), "url": notification.report.url,
            "merged_into": snapshot.merged_into or None,
        },
        "verdict": to_contract(verdict, notification.language) if verdict else None,
        "report": render(notification.report, "json", notification.language),
        "digest": [{"number": r.number, "title": r.title, "url": r.url} for r in notification.digest],
    }  # fmt: skip


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _post(transport: Transport, event: str, payload: dict[str, Any], key: str) -> httpx.Response:
    url, secret = transport.secret("url") or transport.declared.url, transport.secret("secret")
    if not url or not secret:
        raise RefusedWithText(NO_SECRET if url else NO_ADDRESS)
    # A lone half of a surrogate pair, as JSON may bring it, has no UTF-8: escaped it is ASCII.
    body = json.dumps(payload, separators=(",", ":")).encode()
    signed = signature(secret, int(transport.now.timestamp()), body)
    headers = {"Content-Type": "application/json", SIGNATURE: signed, EVENT: event, "Idempotency-Key": key}
    answer = send_request(transport.client, "POST", url, WHO, content=body, headers=headers)
    raise_retryable(answer, WHO)
    if not answer.is_success:
        raise Refused(f"the webhook refused with {answer.status_code}; look at what it says in its own log")
    return answer


def _notify(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    if stands := sent_before(notification, state):
        return stands
    key = f"{notification.snapshot.id}.{message_id(notification)}"
    _post(transport, notification.reason.value, _payload(notification), key)
    return sent_receipt(notification, state, key)


def _check(transport: Transport) -> Sequence[Problem]:
    """Sends a signed event named check, which the receiver answers with 2xx."""
    try:
        _post(transport, CHECK, {"event": CHECK}, f"{CHECK}.{int(transport.now.timestamp())}")
    except (Unreachable, Refused, Malformed) as error:
        return [problem_of(error)]
    return [Problem(SHORT, fatal=False)] if len(transport.secret("secret")) < 16 else []


SYSTEM = System(
    kind="webhook",
    section="chat",
    title=Text("Signed webhook"),
    setup=Text(
        "The verdict as JSON, signed with HMAC-SHA256 over the time and the body; verify both before you read it."
    ),
    notify=_notify,
    check=_check,
    reads=lambda request: request.headers.get(EVENT) == CHECK,
)
