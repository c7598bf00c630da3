"""A Slack bot: one message per incident, changed in place; what an answer lost is found again by its metadata."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx

from domain.errors import Malformed, Refused, Unreachable
from domain.text import Text
from tickets.message import report_with_lead, sent_before, sent_receipt
from tickets.problems import RefusedWithText, problem_of
from tickets.render import render
from tickets.system import Notification, Problem, Receipt, System, TargetState, Transport
from tickets.transport import json_of, send_request

WHO = "Slack"
EVENT = "incident_graph"
LOOKED_AT = 100
LATER = {"internal_error": 10.0, "fatal_error": 30.0, "service_unavailable": 30.0, "request_timeout": 10.0,
         "ratelimited": 30.0, "rate_limited": 30.0}  # fmt: skip
LOST = {"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"}
BAD_TOKEN = Text("Slack does not take the bot's token; copy the token that begins with xoxb- into bearer_file")
KNOWN = {
    **dict.fromkeys(("not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive"), BAD_TOKEN),
    "missing_scope": Text("The bot may not post; give it the scope chat:write and install it again"),
    "channel_not_found": Text("Slack does not show the channel to the bot; write its id (C...) and invite the bot"),
    "not_in_channel": Text("The bot is not in the channel; invite it with /invite"),
    "is_archived": Text("The channel is archived; choose another"),
}  # fmt: skip
NO_TOKEN = Text("No token is declared; put the bot's token into a file and name it in bearer_file")
NO_CHANNEL = Text("No channel is declared; write its id into channel")
NAMED = Text("The channel is declared by its name; with its id a lost answer leads to no second message")


class SlackError(RefusedWithText):
    """Slack answered `ok: false`; `code` is its error."""

    def __init__(self, code: str) -> None:
        super().__init__(KNOWN.get(code, Text("Slack refused: {code}", code=code)))
        self.code = code


def call(transport: Transport, method: str, **body: Any) -> Mapping[str, Any]:
    """Calls one method of Slack's Web API. Raises Unreachable, or SlackError with Slack's code."""
    answer = json_of(send_request(transport.client, "POST", method, WHO, json=body), WHO)
    if answer.get("ok") is True:
        return answer
    code = str(answer.get("error", "no error given"))[:100]
    if code in LATER:
        raise Unreachable(f"Slack answered {code}", LATER[code])
    raise SlackError(code)


def _notify(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    """Changes the incident's message, or posts it when there is none."""
    if stands := sent_before(notification, state):
        return stands
    if not transport.declared.channel:
        raise RefusedWithText(NO_CHANNEL)
    message = {"unfurl_links": False, "unfurl_media": False, "metadata": _metadata(notification)}
    message |= cast(dict[str, Any], render(report_with_lead(notification), "slack", notification.language))
    if notification.digest:
        # A storm's message lists other incidents as well, so a later change of this one leaves it as it is.
        _post_message(transport, notification, state, message)
        return sent_receipt(notification, state)
    key = _update_message(transport, state, message) or _post_message(transport, notification, state, message)
    return sent_receipt(notification, state, key)


def _metadata(notification: Notification) -> dict[str, Any]:
    return {
        "event_type": EVENT,
        "event_payload": {"incident": notification.snapshot.id, "storm": bool(notification.digest)},
    }


def _update_message(transport: Transport, state: TargetState, message: dict[str, Any]) -> str:
    """The key of the message that was changed; empty when there is none that can be."""
    channel, _, ts = state.get("key").partition("/")
    if not ts:
        return ""
    try:
        call(transport, "chat.update", channel=channel, ts=ts, **message)
    except SlackError as error:
        if error.code in LOST:
            return ""
        raise
    return f"{channel}/{ts}"


def _post_message(transport: Transport, notification: Notification, state: TargetState, message: dict[str, Any]) -> str:
    """The key of the new message, or of the one that an earlier attempt posted without getting the answer."""
    if state.get("posting") and (key := _find_message(transport, notification)):
        state.put(key=key, posting="")
        return _update_message(transport, state, message) or key
    state.put(posting="1")
    posted = call(transport, "chat.postMessage", channel=transport.declared.channel, **message)
    key = f"{posted.get('channel', '')}/{posted.get('ts', '')}"
    state.put(key=key, posting="")
    return key


def _find_message(transport: Transport, notification: Notification) -> str:
    """Our message among the channel's newest; empty also where the bot may not read the channel."""
    asked_for = {"channel": transport.declared.channel, "include_all_metadata": "true", "limit": str(LOOKED_AT)}
    body = json_of(send_request(transport.client, "GET", "conversations.history", WHO, params=asked_for), WHO)
    for one in body.get("messages", ()):
        if one.get("metadata", {}) == _metadata(notification):
            return f"{transport.declared.channel}/{one.get('ts', '')}"
    return ""


def _check(transport: Transport) -> Sequence[Problem]:
    """Token and channel; nothing is posted."""
    try:
        if not transport.secret("bearer"):
            return [Problem(NO_TOKEN)]
        call(transport, "auth.test")
    except (Unreachable, Refused, Malformed) as error:
        return [problem_of(error)]
    if not transport.declared.channel:
        return [Problem(NO_CHANNEL)]
    by_id = re.fullmatch(r"[CGD][A-Z0-9]{5,}", transport.declared.channel)
    return [] if by_id else [Problem(NAMED, fatal=False)]


def _reads(request: httpx.Request) -> bool:
    return request.method == "GET" or request.url.path.endswith("/auth.test")


SYSTEM = System(
    kind="slack",
    section="chat",
    title=Text("Slack bot"),
    setup=Text(
        "Make an app with the scopes chat:write and channels:history, install it, invite it to the channel; its token"
        " goes into bearer_file, the channel's id into channel."
    ),
    notify=_notify,
    check=_check,
    edits=True,
    every_s=1.0,
    url="https://slack.com/api/",
    reads=_reads,
)
