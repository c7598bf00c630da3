"""A Jira over HTTP with state and two personalities: Cloud (v3, ADF) and Data Center (v2, wiki text).

Every request and answer is held to the published schemas: what Jira would not take is refused, and an answer of
the fake that is out of shape is an AssertionError in `faults_of_fake`.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.jira_answers import Answer, Problem
from tests.fakes.jira_issues import Issue, Shop, stamp

CLOUD, DATA_CENTER = "cloud", "datacenter"
ALLOWED = {
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "EDIT_OWN_COMMENTS", "LINK_ISSUES",
    "TRANSITION_ISSUES",
}  # fmt: skip
REASONS = {429: "jira-burst-based"}


@dataclass(frozen=True)
class Call:
    """One request as it came, with what it was answered: 0 when the answer was lost."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int = 0

    @property
    def writes(self) -> bool:
        return self.method in {"POST", "PUT", "DELETE"} and "/search" not in self.path and "/oauth" not in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    """What goes wrong, how often: a status, `lost` (done, not answered), `cut` (not done), or `slow` seconds."""

    kind: str
    method: str = ""
    part: str = ""
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class NotServed(Exception):
    """Raised by a test's `on_call` before a call: it is not done and not answered."""


@dataclass(frozen=True)
class Event:
    """One webhook as Jira would send it."""

    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass(repr=False)
class JiraFake:
    """`with JiraFake() as jira:` serves until the end of the block."""

    kind: str = CLOUD
    user: str = "bot"
    secret: str = "fake-jira-api-token"
    webhook_secret: str = "fake-webhook-secret"
    project: str = "OPS"
    latency_s: float = 0.0
    admin: bool = True
    hides_properties: bool = False
    shop: Shop = field(default_factory=Shop)
    allowed: set[str] = field(default_factory=lambda: set(ALLOWED))
    custom: dict[str, str] = field(
        default_factory=lambda: {"customfield_10050": "string", "customfield_10051": "number"}
    )
    options: dict[str, list[str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults_of_fake: list[str] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    on_call: Callable[[Call, str], None] = lambda call, moment: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    @property
    def cloud(self) -> bool:
        return self.kind == CLOUD

    @property
    def issues(self) -> list[Issue]:
        return list(self.shop.issues.values())

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.writes]

    def fault(self, kind: str, **more: Any) -> None:
        """The next fitting call goes wrong."""
        self.faults.append(Fault(kind, **more))

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.faults.clear()
        self.on_call = lambda call, moment: None

    def __enter__(self) -> "JiraFake":
        fake = self

        class Handler(_Handler):
            jira = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        assert not self.faults_of_fake, self.faults_of_fake

    # What people do in the browser.

    def person_moves(self, key: str, status: str, person: str = "ada") -> Event:
        with self.lock:
            issue = self.shop.issues[key]
            return self.event("jira:issue_updated", issue, person, self.shop.move(issue, status, person))

    def person_assigns(self, key: str, assignee: str, person: str = "ada") -> Event:
        with self.lock:
            issue = self.shop.issues[key]
            item = {"field": "assignee", "fieldtype": "jira", "from": issue.assignee or None, "to": assignee,
                    "fromString": issue.assignee.title() or None, "toString": assignee.title()}  # fmt: skip
            issue.assignee = assignee
            return self.event("jira:issue_updated", issue, person, self.shop.changed(issue, person, item))

    def person_comments(self, key: str, body: str, person: str = "ada") -> Event:
        with self.lock:
            return Answer(self, "POST", [], {}, {}, person).comment_of(self.shop.issues[key], body)

    def person_deletes_comment(self, key: str, comment_id: str) -> None:
        with self.lock:
            del self.shop.issues[key].comments[comment_id]

    def event(self, name: str, issue: Issue, by: str, entry: dict[str, Any] | None = None, **more: Any) -> Event:
        """Keeps and gives back the webhook of a change."""
        answer = Answer(self, "GET", [], {}, {}, by, version="2")
        said = {
            "timestamp": int(self.shop.now() * 1000), "webhookEvent": name, "user": answer.person(by),
            "issue": answer.issue_json(issue, ["*all"]), **more,
        }  # fmt: skip
        if entry:
            said["changelog"] = {"id": entry["id"], "items": entry["items"]}
        body = json.dumps(said).encode()
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


class _Handler(BaseHTTPRequestHandler):
    jira: JiraFake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._served()

    do_POST = do_PUT = do_DELETE = do_GET

    def _served(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        call = Call(self.command, unquote(parts.path), query, _decoded(raw, self.headers.get("Content-Type", "")))
        fault = self._fault(call)
        try:
            self.jira.on_call(call, "before")
        except NotServed:
            fault = Fault("cut")
        if self.jira.latency_s:
            time.sleep(self.jira.latency_s)
        if fault and fault.kind == "cut":
            self._hang_up(call)
            return
        if fault and fault.kind == "status":
            self._send(call, fault.status, _fault_body(fault), fault_headers(fault))
            return
        status, body = self._answered(call)
        self.jira.on_call(Call(call.method, call.path, call.query, call.body, status), "after")
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault and fault.kind == "lost":
            self._hang_up(call)
            return
        self._send(call, status, body, {})

    def _answered(self, call: Call) -> tuple[int, Any]:
        with self.jira.lock:
            by = self.jira.caller(self.headers.get("Authorization", ""))
            try:
                return Answer.to(self.jira, call, by)
            except Problem as problem:
                return problem.status, problem.body()
            except Exception as error:  # noqa: BLE001
                self.jira.faults_of_fake.append(f"{call}: {error!r}")
                return 500, {"errorMessages": ["the fake is broken"], "errors": {}}

    def _fault(self, call: Call) -> Fault | None:
        with self.jira.lock:
            for fault in self.jira.faults:
                if fault.times > 0 and fault.method in {"", call.method} and fault.part in call.path:
                    fault.times -= 1
                    return fault
        return None

    def _hang_up(self, call: Call) -> None:
        with self.jira.lock:
            self.jira.calls.append(call)
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(2)

    def _send(self, call: Call, status: int, body: Any, headers: dict[str, str]) -> None:
        with self.jira.lock:
            self.jira.calls.append(Call(call.method, call.path, call.query, call.body, status))
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        with suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": "application/json;charset=UTF-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)


def _decoded(raw: bytes, kind: str) -> Any:
    if not raw:
        return None
    if "form-urlencoded" in kind:
        return dict(parse_qsl(raw.decode()))
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def _fault_body(fault: Fault) -> Any:
    if fault.message.startswith("<"):
        return fault.message.encode()
    return {"errorMessages": [fault.message or f"fault {fault.status}"], "errors": {}}


def fault_headers(fault: Fault) -> dict[str, str]:
    """What Jira Cloud adds to a refusal for too many requests."""
    if fault.status != 429:
        return dict(fault.headers)
    limits = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": stamp(time.time() + 2)}
    return {"Retry-After": "2", "RateLimit-Reason": REASONS[429], **limits, **fault.headers}
