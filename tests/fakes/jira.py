"""A Jira over HTTP with state and two personalities: Cloud (v3, ADF) and Data Center (v2, wiki text).

Every request and answer is held to the published schemas: what Jira would not take is refused, and an answer of
the fake that is out of shape fails the test that served it.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.fakes.jira_answers import Problem, Request
from tests.fakes.jira_issues import Issue, Shop, stamp
from tests.fakes.server import Answer, Call, Fake, Fault, late, lost_answer

CLOUD, DATA_CENTER = "cloud", "datacenter"
ALLOWED = {
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "LINK_ISSUES",
    "TRANSITION_ISSUES",
}  # fmt: skip
TOO_MANY = "jira-burst-based"


@dataclass(frozen=True)
class Event:
    """One webhook as Jira would send it."""

    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class JiraFake(Fake):
    """`with JiraFake() as jira:` serves until the end of the block. Attributes may be changed at any time."""

    def __init__(self, kind: str = CLOUD) -> None:
        super().__init__()
        self.kind, self.user, self.project = kind, "bot", "OPS"
        self.secret, self.webhook_secret = "fake-jira-api-token", "fake-webhook-secret"
        self.shop, self.allowed, self.admin, self.hides_properties = Shop(), set(ALLOWED), True, False
        self.custom = {"customfield_10050": "string", "customfield_10051": "number"}
        self.options: dict[str, list[str]] = {}
        self.events: list[Event] = []
        self.own_faults: list[str] = []
        self.tokens: dict[str, float] = {}

    @property
    def cloud(self) -> bool:
        return self.kind == CLOUD

    @property
    def issues(self) -> list[Issue]:
        return list(self.shop.issues.values())

    @property
    def writes(self) -> list[Call]:
        """A search and the fetching of a token may be POSTs and change nothing."""
        return [call for call in self.calls if call.writes and "/search" not in call.path and "/oauth" not in call.path]

    def fault(self, fault: Fault, method: str = "", part: str = "", times: int = 1) -> None:
        """The next `times` calls of this method, with this in their path, go wrong."""
        self.rule(fault, lambda call: call.method in {method or call.method} and part in call.path, times)

    def __exit__(self, *unused: object) -> None:
        super().__exit__(*unused)
        assert not self.own_faults, self.own_faults

    def handle(self, call: Call) -> Answer:
        by = self.caller(header(call, "Authorization"))
        try:
            return Answer(*Request.answered(self, call.method, unquote(call.path), call.params, decoded(call), by))
        except Problem as problem:
            return Answer(problem.status, problem.body())
        except Exception as error:  # noqa: BLE001
            self.own_faults.append(f"{call.method} {call.path}: {error!r}")
            return Answer(500, {"errorMessages": ["the fake is broken"], "errors": {}})

    # What people do in the browser.

    def person_moves(self, key: str, status: str, person: str = "ada") -> Event:
        with self._lock:
            issue = self.shop.issues[key]
            return self.event("jira:issue_updated", issue, person, self.shop.move(issue, status, person))

    def person_assigns(self, key: str, assignee: str, person: str = "ada") -> Event:
        with self._lock:
            issue = self.shop.issues[key]
            item = {"field": "assignee", "fieldtype": "jira", "from": issue.assignee or None, "to": assignee,
                    "fromString": issue.assignee.title() or None, "toString": assignee.title()}  # fmt: skip
            issue.assignee = assignee
            return self.event("jira:issue_updated", issue, person, self.shop.changed(issue, person, item))

    def person_comments(self, key: str, body: str, person: str = "ada") -> Event:
        with self._lock:
            return Request(self, "POST", [], {}, {}, person).comment_of(self.shop.issues[key], body)

    def person_deletes_comment(self, key: str, comment_id: str) -> None:
        with self._lock:
            del self.shop.issues[key].comments[comment_id]

    def event(self, name: str, issue: Issue, by: str, entry: dict[str, Any] | None = None, **more: Any) -> Event:
        """Keeps and gives back the webhook of a change."""
        request = Request(self, "GET", [], {}, {}, by, version="2")
        payload = {
            "timestamp": int(self.shop.now() * 1000), "webhookEvent": name, "user": request.person(by),
            "issue": request.issue_json(issue, ["*all"]), **more,
        }  # fmt: skip
        if entry:
            payload["changelog"] = {"id": entry["id"], "items": entry["items"]}
        body = json.dumps(payload).encode()
        identifier = hashlib.sha256(body).hexdigest()[:32]
        signature = hmac.new(self.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Atlassian-Webhook-Identifier": identifier}
        if self.cloud:
            headers["X-Hub-Signature"] = f"sha256={signature}"
        self.events.append(Event(headers, body))
        return self.events[-1]

    # Who calls.

    def caller(self, authorization: str) -> str:
        """The user behind a header; empty for a stranger."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            fits = value == self.secret if not self.cloud else self.tokens.get(value, 0) > time.monotonic()
            return self.user if fits else ""
        if scheme.lower() == "basic" and self.cloud:
            with suppress(ValueError):
                name, _, token = base64.b64decode(value).decode().partition(":")
                return self.user if (name, token) == (f"{self.user}@example.com", self.secret) else ""
        return ""

    def basic(self) -> tuple[str, str]:
        return f"{self.user}@example.com", self.secret


def refusal(status: int, message: str = "", **headers: str) -> Fault:
    """The next call is answered by this status, in Jira's words, and nothing is done; a page if it begins with `<`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if status == 429:
        limits = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": stamp(time.time() + 2)}
        named = {"Retry-After": "2", "RateLimit-Reason": TOO_MANY, **limits, **named}
    answer = {"errorMessages": [message or f"fault {status}"], "errors": {}}
    return Fault(before=Answer(status, message.encode() if message.startswith("<") else answer, named))


def cut() -> Fault:
    """The connection breaks before anything was done."""
    return Fault(before=Answer(503), lost=True)


FAULTS: dict[str, Callable[[], Fault]] = {"lost": lost_answer, "cut": cut, "late": lambda: late(0.3)}


def header(call: Call, name: str) -> str:
    """A header, however the client writes its name."""
    return next((value for given, value in call.headers.items() if given.lower() == name.lower()), "")


def decoded(call: Call) -> Any:
    """The body as what it says it is."""
    if not call.body:
        return None
    if "form-urlencoded" in header(call, "Content-Type"):
        return dict(parse_qsl(call.body.decode()))
    with suppress(ValueError):
        return call.json
    return call.body
