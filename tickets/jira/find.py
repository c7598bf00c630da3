"""Finds the ticket of an incident, and makes one only when it is certain that there is none."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alerts import SEVERITY_NAMES
from domain.errors import NotYet, Refused
from domain.text import Text
from tickets.jira import texts
from tickets.jira.api import Denied, JiraApi, NotDone, quoted
from tickets.sanitize import one_line
from tickets.system import Notification, TargetState

KEY = re.compile(r"[A-Z][A-Z0-9_]{1,30}-[1-9]\d{0,9}")
# Alertmanager's own Jira receiver labels its tickets so; other labels from alerts are not trusted.
ALERT = re.compile(r"ALERT\{[0-9a-f]{1,64}\}")
OURS = "incident-graph"
SHOWN = "status,labels,resolution,resolutiondate"
MOST_NAMED, MOST_LABELS, MOST_LOOKED_AT = 5, 20, 5
# The Cloud's search may lag behind. A ticket whose making was not answered is looked for this long, in seconds,
# before another one is made.
SETTLES_S = 120.0
# Alertmanager's receiver may be slower than we are: without a ticket of our own to make, this long, in seconds.
OTHERS_S, OTHERS_AGAIN_S = 180.0, 30.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """One issue as it is now. `ours` is False for one that another installation's incident made."""

    key: str
    status: str
    done: bool
    resolved_at: datetime | None
    labels: frozenset[str]
    ours: bool = False
    new: bool = False


def label_of(notification: Notification) -> str:
    """The label by which an incident's own ticket can be found, and by which a person ties one to it."""
    return f"ig-{notification.snapshot.number}"


def property_key(notification: Notification) -> str:
    """The entity property that marks a ticket or comment of this very incident, of this very installation."""
    return f"{OURS}.{notification.snapshot.id}"


def find(api: JiraApi, notification: Notification, state: TargetState) -> Ticket | None:
    """The incident's ticket: the known one, else one that an alert names, else one with a label of ours or theirs.

    None where there is none yet. Raises Refused when the known ticket is gone.
    """
    if not api.transport.declared.project:
        raise Refused("project is not declared; name the Jira project that tickets stand in")
    if key := state.get("key"):
        ticket = _read_ticket(api, notification, key)
        if ticket is None:
            raise Refused(f"{key} is gone, or this user may not see it any more; no second ticket is made")
        return ticket
    for key in _keys_of_alerts(api, notification):
        if ticket := _read_ticket(api, notification, key):
            return ticket
    return _ticket_by_label(api, notification)


def _keys_of_alerts(api: JiraApi, notification: Notification) -> list[str]:
    """Keys that alerts brought along, of the declared project alone: an alert's text may name any."""
    keys = sorted(set(notification.labels))
    project = api.transport.declared.project + "-"
    return [key for key in keys if KEY.fullmatch(key) and key.startswith(project)][:MOST_NAMED]


def _read_ticket(api: JiraApi, notification: Notification, key: str) -> Ticket | None:
    """The issue as it is now, which the search may not know yet; None where there is none."""
    issue = api.look(key, "issue", key, fields=SHOWN, properties="*all")
    return ticket_of(issue, notification) if issue is not None else None


def ticket_of(issue: Mapping[str, Any], notification: Notification) -> Ticket:
    """An issue's JSON as a ticket."""
    fields = issue.get("fields") or {}
    status = fields.get("status") or {}
    properties = issue.get("properties") or {}
    return Ticket(
        key=str(issue.get("key", "")),
        status=one_line(str(status.get("name", "")))[:60],
        done=(status.get("statusCategory") or {}).get("key") == "done",
        resolved_at=moment(fields.get("resolutiondate")),
        labels=frozenset(str(label) for label in fields.get("labels") or ()),
        ours=property_key(notification) in properties or not _of_a_namesake(properties, notification),
    )


def _of_a_namesake(properties: Mapping[str, Any], notification: Notification) -> bool:
    """Whether another installation's incident of the same number made it: then our label proves nothing."""
    marks = [value for name, value in properties.items() if str(name).startswith(f"{OURS}.")]
    return any(isinstance(mark, Mapping) and mark.get("number") == notification.snapshot.number for mark in marks)


def moment(text: Any) -> datetime | None:
    """A time as Jira writes it (2026-11-20T08:00:00.000+0000), in UTC; None for anything else."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    except ValueError:
        return None


def _ticket_by_label(api: JiraApi, notification: Notification) -> Ticket | None:
    """Our own ticket first; else the one that Alertmanager's receiver holds open for a group of this incident."""
    theirs = sorted({label for label in notification.labels if ALERT.fullmatch(label)})
    labels = [label_of(notification), *theirs[: MOST_LABELS - 1]]
    wanted = ", ".join(quoted(label) for label in labels)
    project = quoted(api.transport.declared.project)
    found = api.search(f"project = {project} AND labels in ({wanted}) ORDER BY created DESC", SHOWN)
    seen = [ticket_of(issue, notification) for issue in reversed(found)]
    own = [ticket.key for ticket in seen if label_of(notification) in ticket.labels][:MOST_LOOKED_AT]
    for key in own:
        ticket = _read_ticket(api, notification, key)
        if ticket and ticket.ours:
            return ticket
    return next(_receiver_tickets(api, notification, [t for t in seen if t.labels & set(theirs)]), None)


def _receiver_tickets(api: JiraApi, notification: Notification, seen: list[Ticket]) -> Iterator[Ticket]:
    """Open tickets, oldest first, then those that were closed during the incident, newest first; read anew."""
    started = notification.snapshot.started_at
    within = [t for t in seen if t.done and t.resolved_at and t.resolved_at >= started]
    for candidate in [*(t for t in seen if not t.done), *reversed(within)][:MOST_LOOKED_AT]:
        ticket = _read_ticket(api, notification, candidate.key)
        if ticket and (not ticket.done or (ticket.resolved_at and ticket.resolved_at >= started)):
            yield ticket


def wait_for_others(api: JiraApi, notification: Notification) -> None:
    """Raises NotYet while a ticket of Alertmanager's receiver may still turn up."""
    age = (api.transport.now - notification.snapshot.started_at).total_seconds()
    if age < OTHERS_S and any(ALERT.fullmatch(label) for label in notification.labels):
        raise NotYet("no ticket of Alertmanager's receiver is there yet; looking again", OTHERS_AGAIN_S)


def wait_for_own(api: JiraApi, state: TargetState) -> None:
    """Raises NotYet while a ticket that was asked for, without an answer, may still turn up."""
    began = state.get("creating")
    if not began:
        return
    left = datetime.fromisoformat(began) + timedelta(seconds=SETTLES_S) - api.transport.now
    if left > timedelta(0):
        reason = "a ticket was asked for and the answer was lost; its label is looked for before another is made"
        raise NotYet(reason, left.total_seconds())


def create(api: JiraApi, notification: Notification, state: TargetState) -> Ticket:
    """A new ticket, labelled and marked in the same request.

    The intent is kept first. If a process dies before the answer is kept, the next attempt looks for the label, and
    makes another ticket only when the search has had SETTLES_S to show the first.
    """
    wait_for_own(api, state)
    state.put(creating=api.transport.now.isoformat())
    try:
        issue = api.send("a new ticket", "POST", ("issue",), _new_issue(api, notification))
    except (Denied, NotDone):
        state.put(creating="")
        raise
    key = str(issue.get("key", ""))
    if not key:
        raise NotYet("Jira answered a new ticket without its key; it is looked for by its label", SETTLES_S)
    state.put(key=key, creating="")
    return Ticket(
        key, "", done=False, resolved_at=None, labels=frozenset({label_of(notification)}), ours=True, new=True
    )


def _new_issue(api: JiraApi, notification: Notification) -> dict[str, Any]:
    declared, report, language = api.transport.declared, notification.report, notification.language
    severity = SEVERITY_NAMES[notification.snapshot.severity]
    opening = Text("Opened by Incident Graph. Severity: {severity}.", severity=severity)
    opening_lines = [opening.in_language(language), report.title, report.headline.in_language(language)]
    fields = {
        **declared.set,
        "project": {"key": declared.project},
        "issuetype": {"name": declared.issue_type},
        "summary": texts.summary(report),
        "description": texts.lines(opening_lines, report.url, api.cloud),
        "labels": [OURS, label_of(notification), *declared.labels],
    }
    return {"fields": fields, "properties": [entity_property(notification)]}


def entity_property(notification: Notification) -> dict[str, Any]:
    """The entity property of a ticket or comment."""
    return {
        "key": property_key(notification),
        "value": {"incident": notification.snapshot.id, "number": notification.snapshot.number},
    }
