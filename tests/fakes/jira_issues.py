"""The state behind the fake Jira: issues, comments, links, a workflow, and a search that lags behind."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

CATEGORY = {"To Do": ("new", 2), "In Progress": ("indeterminate", 4), "Done": ("done", 3)}
STATUS_ID = {"To Do": "10000", "In Progress": "3", "Done": "10001"}
# Transition id and name, from which statuses, to which.
WORKFLOW = (
    ("11", "Start", {"To Do"}, "In Progress"),
    ("21", "Resolve", {"To Do", "In Progress"}, "Done"),
    ("31", "Reopen", {"Done"}, "To Do"),
)


@dataclass
class Comment:
    id: str
    author: str
    body: Any
    created: float
    updated: float
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Issue:
    id: str
    key: str
    fields: dict[str, Any]
    created: float
    updated: float
    status: str = "To Do"
    resolution: str = ""
    resolved_at: float | None = None
    assignee: str = ""
    comments: dict[str, Comment] = field(default_factory=dict)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    indexed: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def project(self) -> str:
        return self.key.rpartition("-")[0]

    @property
    def labels(self) -> list[str]:
        return list(self.fields.get("labels", []))


@dataclass
class Shop:
    """All issues, and a clock that tests may push on. The search sees what was written `lag_s` ago."""

    lag_s: float = 0.0
    ahead_s: float = 0.0
    issues: dict[str, Issue] = field(default_factory=dict)
    last: int = 10_000
    numbers: dict[str, int] = field(default_factory=dict)

    def now(self) -> float:
        return time.time() + self.ahead_s

    def next_id(self) -> str:
        self.last += 1
        return str(self.last)

    def create(self, fields: dict[str, Any]) -> Issue:
        project = fields["project"]["key"]
        self.numbers[project] = self.numbers.get(project, 0) + 1
        now = self.now()
        issue = Issue(self.next_id(), f"{project}-{self.numbers[project]}", dict(fields), now, now)
        self.issues[issue.key] = issue
        self.touched(issue)
        return issue

    def find(self, key_or_id: str) -> Issue | None:
        by_key = self.issues.get(key_or_id.upper())
        return by_key or next((i for i in self.issues.values() if i.id == key_or_id), None)

    def touched(self, issue: Issue) -> None:
        issue.updated = self.now()
        seen = {
            "project": issue.project, "key": issue.key, "labels": issue.labels, "status": issue.status,
            "statusCategory": CATEGORY[issue.status][0], "created": issue.created, "updated": issue.updated,
            "resolutiondate": issue.resolved_at or 0.0,
        }  # fmt: skip
        issue.indexed.append((issue.updated + self.lag_s, seen))

    def changed(self, issue: Issue, by: str, item: dict[str, Any]) -> dict[str, Any]:
        entry = {"id": self.next_id(), "author": by, "created": self.now(), "items": [item]}
        issue.history.append(entry)
        self.touched(issue)
        return entry

    def move(self, issue: Issue, status: str, by: str) -> dict[str, Any]:
        old, issue.status = issue.status, status
        was, now_done = issue.resolution, CATEGORY[status][0] == "done"
        issue.resolution = "Done" if now_done else ""
        issue.resolved_at = self.now() if now_done else None
        entry = self.changed(issue, by, _item("status", STATUS_ID[old], old, STATUS_ID[status], status))
        if was != issue.resolution:
            entry["items"].append(_item("resolution", was and "1", was, issue.resolution and "1", issue.resolution))
        return entry

    def seen(self, issue: Issue, reconcile: bool = False) -> dict[str, Any] | None:
        """The issue as the search sees it; None while it is too new."""
        now = self.now()
        known = [doc for at, doc in issue.indexed if reconcile or at <= now]
        return known[-1] if known else None

    def search(self, jql: str, reconcile: set[str] = frozenset()) -> list[Issue]:  # type: ignore[assignment]
        """Issues that fit; raises ValueError as Jira words it."""
        fits, order = parsed(jql, self.ahead_s)
        found = []
        for issue in self.issues.values():
            doc = self.seen(issue, issue.id in reconcile)
            if doc and fits(doc):
                found.append((doc, issue))
        for name, descending in reversed(order):
            found.sort(key=lambda pair: pair[0][name], reverse=descending)
        return [issue for _, issue in found]


def _item(name: str, from_id: str, from_text: str, to_id: str, to_text: str) -> dict[str, Any]:
    return {
        "field": name, "fieldId": name, "fieldtype": "jira", "from": from_id or None, "fromString": from_text or None,
        "to": to_id or None, "toString": to_text or None,
    }  # fmt: skip


def stamp(at: float) -> str:
    """A time as Jira writes it."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|!=|>=|<=|[=<>(),]|[^\s"\'=!<>(),]+)')
_RESERVED = set("{}[]*/%+^$#@?;|&~")
_NAMES = {"project", "key", "issuekey", "labels", "status", "statuscategory", "created", "updated", "resolutiondate"}
Doc = dict[str, Any]


def _tokens(jql: str) -> list[str]:
    found, at = [], 0
    while at < len(jql.rstrip()):
        match = _TOKEN.match(jql, at)
        if match is None:
            raise ValueError(f"Error in the JQL Query: near character {at + 1}.")
        found.append(match.group(1))
        at = match.end()
    return found


def _value(token: str) -> str:
    if token[:1] in "\"'":
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if set(token) & _RESERVED:
        raise ValueError(f"Error in the JQL Query: the character in '{token}' is a reserved JQL character.")
    return token


def parsed(jql: str, ahead_s: float = 0.0) -> tuple[Callable[[Doc], bool], list[tuple[str, bool]]]:
    """A small part of JQL: comparisons joined by AND, IN lists, ORDER BY."""
    tokens = _tokens(jql)
    words = [t.lower() for t in tokens]
    cut = next((i for i in range(len(words) - 1) if words[i : i + 2] == ["order", "by"]), len(words))
    clauses, rest = [], tokens[:cut]
    while rest:
        clause, rest = _clause(rest, ahead_s)
        clauses.append(clause)
        if rest and rest.pop(0).lower() != "and":
            raise ValueError("Error in the JQL Query: Expecting 'AND'.")
    return (lambda doc: all(clause(doc) for clause in clauses)), _order(tokens[cut + 2 :])


def _order(tokens: list[str]) -> list[tuple[str, bool]]:
    order: list[tuple[str, bool]] = []
    for token in tokens:
        if token.lower() in {"asc", "desc"}:
            order[-1] = (order[-1][0], token.lower() == "desc")
        elif token != ",":
            order.append((_name(token), False))
    return order


def _name(token: str) -> str:
    low = token.lower()
    if low not in _NAMES:
        raise ValueError(f"Field '{token}' does not exist or you do not have permission to view it.")
    return {"issuekey": "key", "statuscategory": "statusCategory"}.get(low, low)


def _clause(tokens: list[str], ahead_s: float) -> tuple[Callable[[Doc], bool], list[str]]:
    name, operator = _name(tokens[0]), tokens[1].lower()
    if operator == "in":
        end = tokens.index(")")
        wanted = {_value(t).lower() for t in tokens[3:end] if t != ","}
        return (lambda doc: bool(_held(doc, name) & wanted)), tokens[end + 1 :]
    value = _value(tokens[2])
    if operator in {">=", "<=", ">", "<"}:
        minutes = re.fullmatch(r"-(\d+)m", value)
        at = (
            time.time() - 60 * int(minutes[1])
            if minutes
            else datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
        )
        limit = at + ahead_s if minutes else at
        return (lambda doc: doc[name] >= limit if operator[0] == ">" else doc[name] <= limit), tokens[3:]
    if operator not in {"=", "!="}:
        raise ValueError(f"Error in the JQL Query: operator '{operator}' is not known here.")
    wanted_one, equal = value.lower(), operator == "="
    return (lambda doc: (wanted_one in _held(doc, name)) is equal), tokens[3:]


def _held(doc: Doc, name: str) -> set[str]:
    value = doc[name]
    return {str(v).lower() for v in (value if isinstance(value, list) else [value])}
