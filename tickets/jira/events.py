"""Ticket events of Jira, from webhooks and polls: status, resolution, assignee and `/cause <slug>` in comments."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.errors import Malformed
from tickets.jira import texts, users
from tickets.jira.api import JiraApi, connect, quoted
from tickets.jira.find import OURS, moment
from tickets.sanitize import one_line
from tickets.system import TicketEvent, Transport

VERB = re.compile(r"^[ \t]*/cause[ \t]+([a-z0-9][a-z0-9-]{0,59})(?:[ \t]+([^\n]*))?[ \t]*$", re.MULTILINE)
IDENTIFIER = "x-atlassian-webhook-identifier"
COMMENTS = {"comment_created", "comment_updated"}
MOST_COMMENTS = 50
# Up to so many tickets are asked one by one; of more, only those that the search knows to have changed.
ASKED_EACH, MOST_CHANGED = 25, 500


def parse_webhook(transport: Transport, headers: Mapping[str, str], body: bytes) -> Sequence[TicketEvent]:
    """The events in one webhook, without our own. Raises Malformed for what is no event of Jira."""
    given = {name.lower(): value for name, value in headers.items()}
    event = _event(body)
    issue, by = event.get("issue"), event.get("user") or _part(event, "comment", "author")
    if not isinstance(issue, Mapping) or not isinstance(issue.get("key"), str):
        return ()
    if users.is_own(transport, by):
        return ()
    at = _time_of(event.get("timestamp"), transport.now)
    if event.get("webhookEvent") in COMMENTS:
        return list(_events_of_comment(issue["key"], event.get("comment"), at))
    return list(
        _events_of_change(
            issue["key"], _fields(issue), event.get("changelog"), by, _ChangeId(at, given.get(IDENTIFIER, ""))
        )
    )


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; expected a webhook of Jira") from error
    if not isinstance(event, Mapping):
        raise Malformed("not an object; expected a webhook of Jira")
    return event


class _ChangeId(msgspec.Struct, frozen=True):
    """When a change was, and the webhook's identifier, by which a repeated delivery is recognised."""

    at: datetime
    identifier: str


def _time_of(stamp: Any, now: datetime) -> datetime:
    """Milliseconds since 1970; what is no time in the past is now."""
    if isinstance(stamp, int) and 0 < stamp < now.timestamp() * 1000:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    return now


def _part(tree: Any, *path: str) -> Any:
    for step in path:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _fields(issue: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = issue.get("fields")
    return fields if isinstance(fields, Mapping) else {}


def _events_of_change(
    key: str, fields: Mapping[str, Any], changelog: Any, by: Any, mark: _ChangeId
) -> Iterator[TicketEvent]:
    """The events of one entry of a ticket's history; `fields` are the ticket's fields after it."""
    number, items = _part(changelog, "id"), _part(changelog, "items")
    marker = f"change {number}" if number else f"event {mark.identifier}"
    changed = {str(i.get("field")): i for i in items if isinstance(i, Mapping)} if isinstance(items, list) else {}
    if verb := _status_verb(changed, fields):
        note = _named(fields, "resolution") if verb == "resolved" else _named(fields, "status")
        yield TicketEvent(key, verb, users.shown(by), mark.at, f"{marker} status"[:200], note=note)
    if "assignee" in changed:
        value = one_line(str(changed["assignee"].get("toString") or ""))[:150]
        yield TicketEvent(key, "assigned", users.shown(by), mark.at, f"{marker} assignee"[:200], value=value)


def _named(fields: Mapping[str, Any], name: str) -> str:
    return one_line(str(_part(fields, name, "name") or ""))[:200]


def _status_verb(changed: Mapping[str, Mapping[str, Any]], fields: Mapping[str, Any]) -> str:
    """The verb of a change of status: done is resolved, back from done is reopened, in progress is acknowledged."""
    if "status" not in changed:
        return ""
    category = _part(fields, "status", "statusCategory", "key")
    if category == "done":
        return "resolved"
    unresolved = "resolution" in changed and changed["resolution"].get("from") and not changed["resolution"].get("to")
    if unresolved:
        return "reopened"
    return "acknowledged" if category == "indeterminate" else ""


def _events_of_comment(key: str, comment: Any, at: datetime) -> Iterator[TicketEvent]:
    """`/cause <slug>` on a line of its own; what follows it is the note."""
    for number, found in enumerate(VERB.finditer(texts.plain(_part(comment, "body")))):
        # Webhooks and answers write the same time in different zones.
        written = moment(_part(comment, "updated")) or at
        marker = f"comment {_part(comment, 'id')} {written.isoformat()} {number}"[:200]
        by = users.shown(_part(comment, "updateAuthor") or _part(comment, "author"))
        note = one_line(found.group(2) or "")[:500]
        yield TicketEvent(key, "cause", by, at, marker, value=found.group(1), note=note)
        if number >= 4:
            return


def poll_events(transport: Transport, keys: Sequence[str], since: datetime) -> Sequence[TicketEvent]:
    """The events since a time, oldest first, asked for ticket by ticket; a ticket that is gone has none."""
    api = connect(transport)
    found: list[TicketEvent] = []
    for key in keys if len(keys) <= ASKED_EACH else _changed_keys(api, keys, since):
        asked = {"fields": "status,resolution,assignee,updated", "expand": "changelog"}
        issue = api.look(key, "issue", key, **asked)
        updated = moment(_part(issue, "fields", "updated"))
        if issue is None or updated is None or updated < since:
            continue
        found += _changes_since(api, key, issue, since)
        found += _comments_since(api, key, since)
    return sorted(found, key=lambda event: event.at)


def _changed_keys(api: JiraApi, keys: Sequence[str], since: datetime) -> list[str]:
    """Of many tickets those that changed, found by our label and the minutes since then; Jira's clock is not ours."""
    minutes = max(1, math.ceil((api.transport.now - since).total_seconds() / 60)) + 2
    project = quoted(api.transport.declared.project)
    jql = f'project = {project} AND labels = "{OURS}" AND updated >= "-{minutes}m" ORDER BY updated DESC'
    changed = {str(issue.get("key")) for issue in api.search(jql, "updated", most=MOST_CHANGED)}
    return [key for key in keys if key in changed]


def _changes_since(api: JiraApi, key: str, issue: Mapping[str, Any], since: datetime) -> Iterator[TicketEvent]:
    """Events of new history entries by others, oldest first; only the last change of status sees the current fields."""
    entries = _part(issue, "changelog", "histories")
    dated = (
        [(moment(e.get("created")), e) for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
    )
    new = sorted(((at, e) for at, e in dated if at and at >= since), key=lambda pair: pair[0])
    moves = [e for _, e in new if any(_part(item, "field") == "status" for item in e.get("items") or ())]
    for at, entry in new:
        if users.is_own(api.transport, entry.get("author")):
            continue
        fields = _fields(issue) if moves and entry is moves[-1] else {}
        yield from _events_of_change(key, fields, entry, entry.get("author"), _ChangeId(at, ""))


def _comments_since(api: JiraApi, key: str, since: datetime) -> Iterator[TicketEvent]:
    asked = {"orderBy": "-created", "maxResults": str(MOST_COMMENTS)}
    answer = api.look("its comments", "issue", key, "comment", **asked) or {}
    for comment in answer.get("comments", ()):
        at = moment(_part(comment, "updated")) or moment(_part(comment, "created"))
        if at and at >= since and not users.is_own(api.transport, _part(comment, "author")):
            yield from _events_of_comment(key, comment, at)
