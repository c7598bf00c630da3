"""A small HTTP server with state, for fakes of ticket systems and chats; it counts calls, is slow and fails on order.

A fake is a subclass of `Fake` that answers `handle(call)`; `with MyFake() as fake:` serves it on a free loopback port.
Faults are given by rules that look at a call: `fake.rule(error(500), times=3)`. Every call is kept in `fake.calls`,
numbered from 1, with whether it changed anything, so that a test can walk through all of them.
"""

import json
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(slots=True)
class Call:
    """One request as it came in. `number` counts all calls from 1; `status` is what was answered, 0 for nothing."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int = 0

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty."""
        return json.loads(self.body) if self.body else None

    @property
    def writes(self) -> bool:
        """Whether the method may change something. A fake whose reads are POSTs asks its own way."""
        return self.method not in {"GET", "HEAD"}


@dataclass(slots=True)
class Answer:
    """What is answered. `body` is bytes, or anything that JSON can hold."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(slots=True)
class Fault:
    """What goes wrong with a call.

    `before` answers instead of the fake, so that nothing is committed. `lost` commits and then drops the connection
    without an answer. `sleep_s` commits and answers late, for time-outs after the commit. `kill` sends SIGKILL to
    that process, before the fake commits or after it.
    """

    before: Answer | None = None
    lost: bool = False
    sleep_s: float = 0.0
    kill: int = 0
    kill_after_commit: bool = False


def error(status: int, **headers: str) -> Fault:
    """The fake answers this status and commits nothing, e.g. `error(429, Retry_After="7")`."""
    return Fault(before=Answer(status, {"error": status}, {k.replace("_", "-"): v for k, v in headers.items()}))


def lost_answer() -> Fault:
    """Committed, but the answer never arrives."""
    return Fault(lost=True)


def late(seconds: float) -> Fault:
    """Committed, and answered after `seconds`: give more than the client's timeout."""
    return Fault(sleep_s=seconds)


@dataclass(slots=True)
class _Rule:
    fault: Fault
    when: Callable[[Call], bool]
    times: int


class Fake:
    """Base of all fakes: state in attributes of the subclass, one lock around each call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.latency_s = 0.0
        self.tls: ssl.SSLContext | None = None
        self._rules: list[_Rule] = []
        self._lock = threading.RLock()

    def handle(self, call: Call) -> Answer:
        """The fake's own answer; called one at a time."""
        raise NotImplementedError

    def rule(self, fault: Fault, when: Callable[[Call], bool] = lambda call: True, times: int = 1 << 30) -> None:
        """The next `times` calls that fit have this fault; the first rule that fits counts."""
        with self._lock:
            self._rules.append(_Rule(fault, when, times))

    def heal(self) -> None:
        """No faults any more."""
        with self._lock:
            self._rules.clear()

    def forget_calls(self) -> None:
        """Numbers start from 1 again; state stays."""
        with self._lock:
            self.calls.clear()

    @property
    def writes(self) -> list[Call]:
        """The calls that may have changed something."""
        return [call for call in self.calls if call.writes]

    @property
    def url(self) -> str:
        """Where it is served."""
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Any:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, call: Call) -> tuple[Answer, Fault]:
        """Numbers the call and answers it, with its fault."""
        with self._lock:
            self.calls.append(call)
            call.number = len(self.calls)
            fault = self._fault(call)
            if fault.kill and not fault.kill_after_commit:
                _kill(fault.kill)
            answer = fault.before or self.handle(call)
            call.status = 0 if fault.lost else answer.status
            if fault.kill:
                _kill(fault.kill)
            return answer, fault

    def _fault(self, call: Call) -> Fault:
        for rule in self._rules:
            if rule.times > 0 and rule.when(call):
                rule.times -= 1
                return rule.fault
        return Fault()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the tests."""


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(0, self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            if fake.latency_s:
                time.sleep(fake.latency_s)
            answer, fault = fake.take(call)
            if fault.sleep_s:
                time.sleep(fault.sleep_s)
            if fault.lost or fault.kill:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _any

        def _send(self, answer: Answer) -> None:
            content = answer.content()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD" and answer.status != 204:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Silent."""

    return Handler
