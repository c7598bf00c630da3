"""Zabbix: the headline and the way to the incident as a comment on each problem, and its severity raised by policy."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from domain.alerts import AlertState
from domain.errors import Malformed, Refused, Unreachable
from domain.snapshot import AlertRecord
from domain.text import Text
from tickets.message import LAST_MESSAGE, LEADS, message_id
from tickets.problems import RefusedWithText, problem_of
from tickets.sanitize import clipped, one_line
from tickets.system import LOUD, Notification, Problem, Reason, Receipt, System, TargetState, Transport
from tickets.zabbix_api import SEVERITIES, ZabbixApi, only_reads

# Old schemas keep 255 characters, 6.0 and newer 2,048.
LIMIT, LINK_LIMIT = 2000, 500
ADD_MESSAGE, CHANGE_SEVERITY = 4, 8
# So many problems of an incident are commented on at most, and so many are remembered as done.
EVENTS, KEPT = 20, 200
NO_TOKEN = Text("No API token is declared; put one of the integration user into a file and name it in api_token_file")
DONE = Text("Problems commented on: {count}.")
STANDS = Text("The comment stands there already.")
NOTHING = Text("The incident has no problem of this Zabbix.")
READ_ONLY = Text("The API user sees no host; give its group read permission for the host groups that alert")


def _api(transport: Transport) -> ZabbixApi:
    token = transport.secret("api_token")
    if not token:
        raise RefusedWithText(NO_TOKEN)
    return ZabbixApi(transport.client, transport.declared.api_url, token)


def _events(transport: Transport, notification: Notification) -> list[AlertRecord]:
    """The incident's problems of this Zabbix, the newest first and no more than a person reads."""
    own = [
        a
        for a in notification.snapshot.alerts
        if a.source == f"zabbix/{transport.declared.name}" and a.identity.isdigit()
    ]
    return sorted(own, key=lambda a: (a.state is AlertState.FIRING, a.started_at), reverse=True)[:EVENTS]


def comment(notification: Notification) -> str:
    """The comment's text: what happened, the headline, the address, and the id by which it is found again."""
    lead = LEADS.get(notification.reason)
    headline = notification.report.headline.in_language(notification.language)
    sentence = one_line(f"{lead.in_language(notification.language)}: {headline}" if lead else headline)
    link = notification.report.url if len(notification.report.url) <= LINK_LIMIT else ""
    tail = f" {link} {_comment_id(notification)}" if link else f" {_comment_id(notification)}"
    return clipped(sentence, LIMIT - len(tail)) + tail


def _comment_id(notification: Notification) -> str:
    snapshot, report = notification.snapshot, notification.report
    content = f"{snapshot.id}/{report.headline.en}/{notification.reason}/{snapshot.reopened}"
    return f"[ig:{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()[:12]}]"


def _notify(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    events = [alert.identity for alert in _events(transport, notification)]
    if not events:
        return Receipt("", notification.report.url, NOTHING)
    if notification.reason not in LOUD:  # only problems that joined since get a comment
        notification = replace(notification, reason=Reason.VERDICT)
    elif state.get(LAST_MESSAGE) != message_id(notification):
        state.put(**{LAST_MESSAGE: message_id(notification), "events": ""})
    api, done = _api(transport), state.get("events").split()
    missing = [event for event in events if event not in done]
    added = [event for event in missing if _add_comment(transport, api, event, notification)]
    if missing:
        state.put(events=" ".join([*done, *missing][-KEPT:]))
    return Receipt(events[0], notification.report.url, DONE.format(count=len(added)) if added else STANDS)


def _add_comment(transport: Transport, api: ZabbixApi, event_id: str, notification: Notification) -> bool:
    """One comment on one event, unless the same stands there; whether it was added. One event a call: a call with
    several fails whole when one of them is hidden."""
    found = api.call("event.get", eventids=[event_id], output=["eventid", "severity"], **{api.acknowledges: "extend"})
    if not found:  # housekeeping removed it, or the API user may not see it: nothing to write on
        return False
    mark, event = _comment_id(notification), found[0]
    if any(mark in str(one.get("message", "")) for one in event.get("acknowledges", [])):
        return False
    raised = _raised_severity(transport, notification, event)
    action = ADD_MESSAGE | (CHANGE_SEVERITY if raised else 0)
    api.call("event.acknowledge", eventids=[event_id], action=action, message=comment(notification), **raised)
    return True


def _raised_severity(transport: Transport, notification: Notification, event: dict[str, Any]) -> dict[str, int]:
    """The severity that the declared policy wants for the first cause or its layer, if that is more than now."""
    verdict = notification.snapshot.verdict
    if verdict is None or not verdict.causes or verdict.state.value == "unknown":
        return {}
    first, policy = verdict.causes[0], transport.declared.raise_severity
    wanted = policy.get(first.cause) or policy.get(first.layer) or ""
    number = SEVERITIES.index(wanted) if wanted in SEVERITIES else 0
    return {"severity": number} if number > int(event.get("severity", 0)) else {}


def _check(transport: Transport) -> Sequence[Problem]:
    """Version, token and what the user may see."""
    try:
        seen = _api(transport).call("host.get", output=["hostid"], limit=1)
    except (Unreachable, Refused, Malformed) as error:
        return [problem_of(error)]
    return [] if seen else [Problem(READ_ONLY)]


SYSTEM = System(
    kind="zabbix",
    section="source",
    title=Text("Comments in Zabbix"),
    setup=Text(
        "Set write_back = true, api_url to the frontend's address and api_token_file to a token of a user with read"
        " permission; a comment needs no more than that."
    ),
    notify=_notify,
    check=_check,
    edits=True,
    reads=only_reads,
)
