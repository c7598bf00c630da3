"""One transport under all clients: it keeps every answer, and a replay answers from what was kept."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

import httpx
import msgspec

from domain.connections import Access, Connections
from domain.errors import NotRecorded, Refused

ANSWER_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came back. `status` 0 means no answer; then `error` says why.

    `at_ms` and `took_ms` are when it was asked (epoch milliseconds UTC) and how long it took.
    """

    connection: str
    method: str
    path: str
    params: str
    body: str
    status: int
    answer: str
    at_ms: int = 0
    took_ms: int = 0
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes two questions the same."""
        return (self.connection, self.method, self.path, self.params, self.body)


def sorted_params(query: bytes | str) -> str:
    """Parameters in one canonical order."""
    text = query.decode() if isinstance(query, bytes) else query
    return urlencode(sorted(parse_qsl(text, keep_blank_values=True)))


class Transports(Protocol):
    """Gives the client of one named connection; `answers` are all that were given so far, in key order."""

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """A client for one declared address."""
        ...

    def answers(self) -> tuple[Answer, ...]:
        """What was asked and answered."""
        ...


@dataclass(slots=True)
class _Kept:
    """Answers of one investigation; several checks write at once."""

    rows: dict[tuple[str, ...], Answer] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, answer: Answer) -> None:
        with self.lock:
            self.rows[answer.key] = answer

    def all(self) -> tuple[Answer, ...]:
        with self.lock:
            return tuple(self.rows[key] for key in sorted(self.rows))


class _Recording(httpx.BaseTransport):
    """Asks for real and keeps what came back, also that nothing came back."""

    def __init__(self, connection: str, inner: httpx.BaseTransport, kept: _Kept) -> None:
        self._connection, self._inner, self._kept = connection, inner, kept

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started = time.time()
        blank = _question(self._connection, request, int(started * 1000))
        try:
            response = self._inner.handle_request(request)
            content = _bounded(response)
        except httpx.HTTPError as error:
            self._kept.put(_with(blank, started, 0, "", type(error).__name__))
            raise
        self._kept.put(_with(blank, started, response.status_code, content.decode("utf-8", "replace"), ""))
        return httpx.Response(response.status_code, content=content, request=request)

    def close(self) -> None:
        self._inner.close()


def _bounded(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in httpx.Response(response.status_code, headers=response.headers, stream=response.stream).iter_bytes():
        size += len(part)
        if size > ANSWER_LIMIT:
            raise httpx.ReadError(f"the answer is larger than {ANSWER_LIMIT} bytes")
        parts.append(part)
    return b"".join(parts)


def _question(connection: str, request: httpx.Request, at_ms: int) -> Answer:
    body = request.content.decode("utf-8", "replace")
    return Answer(connection, request.method, request.url.path, sorted_params(request.url.query), body, 0, "", at_ms)


def _with(question: Answer, started: float, status: int, answer: str, error: str) -> Answer:
    took = int((time.time() - started) * 1000)
    return Answer(*question.key, status, answer, question.at_ms, took, error)


class _Replaying(httpx.BaseTransport):
    """Answers from the record, never from the network."""

    def __init__(self, connection: str, recorded: dict[tuple[str, ...], Answer], kept: _Kept) -> None:
        self._connection, self._recorded, self._kept = connection, recorded, kept

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._recorded.get(_question(self._connection, request, 0).key)
        if answer is None:
            raise NotRecorded(f"{self._connection}: {request.url.path} was not recorded")
        self._kept.put(answer)
        if answer.status == 0:
            raise httpx.ConnectError(answer.error or "no answer", request=request)
        return httpx.Response(answer.status, text=answer.answer, request=request)


def read_named(file: str) -> str:
    """The content of a secret file. Raises Refused with the remedy."""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}); correct the connection's *_file") from error


class LiveTransports:
    """Real requests to declared addresses; TLS verified, no redirects, no proxies of the environment."""

    def __init__(self, connections: Connections, read_secret: Callable[[str], str] = read_named) -> None:
        self._connections, self._read, self._kept = connections, read_secret, _Kept()

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """A client that keeps every answer."""
        verify: str | bool = access.ca_file or True
        cert = (access.client_cert_file, access.client_key_file) if access.client_cert_file else None
        inner = httpx.HTTPTransport(verify=verify, cert=cert, retries=1)
        headers = dict(access.headers)
        if access.bearer_file:
            headers["Authorization"] = f"Bearer {self._read(access.bearer_file)}"
        auth = (access.basic_user, self._read(access.basic_password_file)) if access.basic_password_file else None
        return httpx.Client(
            base_url=base_url, headers=headers, auth=auth, timeout=httpx.Timeout(access.timeout_s, connect=3.0),
            transport=_Recording(connection, inner, self._kept), follow_redirects=False, trust_env=False,
        )  # fmt: skip

    def answers(self) -> tuple[Answer, ...]:
        """What was asked and answered so far, in key order."""
        return self._kept.all()


class ReplayTransports:
    """Recorded answers only; a question that was not recorded raises NotRecorded."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._recorded: dict[tuple[str, ...], Answer] = {a.key: a for a in answers}
        self._kept = _Kept()

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """A client without a network; no secret is read."""
        return httpx.Client(base_url=base_url, transport=_Replaying(connection, self._recorded, self._kept))

    def answers(self) -> tuple[Answer, ...]:
        """Those recorded answers that were asked for."""
        return self._kept.all()


def encode_answer(answer: Answer) -> bytes:
    """One answer as JSON."""
    return msgspec.json.encode(answer)


def decode_answer(raw: bytes) -> Answer:
    """Raises msgspec's errors when it is not an answer."""
    return msgspec.json.decode(raw, type=Answer)
