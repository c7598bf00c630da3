"""One transport under all clients: it keeps every answer, and a replay answers from what was kept."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

import httpx
import msgspec

from domain.connections import Access, Connections, EtcdDecl, KubernetesDecl
from domain.errors import NotRecorded
from domain.secrets import ReadSecret
from domain.text import Text
from evidence.bounded import content_of
from evidence.executors.executor import Ran, not_permitted
from evidence.ways import CONNECT_S, FILES_ONLY, way_to

# How resolvers of several systems report a name that they do not know.
UNRESOLVED = ("Name or service not known", "name resolution", "nodename nor servname", "No address associated")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came back. `status` 0 means no answer; then `error` gives the reason.

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


class RunAnswer(msgspec.Struct, frozen=True):
    """The `answer` of a run, method RUN, path = the action: exit code (None: killed), output, last complaint."""

    rc: int | None
    stdout: str
    error: str


def sorted_params(query: bytes | str) -> str:
    """Parameters in one canonical order."""
    text = query.decode() if isinstance(query, bytes) else query
    return urlencode(sorted(parse_qsl(text, keep_blank_values=True)))


class Transports(Protocol):
    """Gives the client of one named connection; `answers` are all that were given so far, in key order."""

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """A client for one declared address."""
        ...

    def run(self, etcd: EtcdDecl, action: str) -> Answer:
        """An action of the executors' table through the cluster's declared executor; see `RunAnswer`."""
        ...

    def answers(self) -> tuple[Answer, ...]:
        """What was asked and answered."""
        ...


@dataclass(slots=True)
class _Kept:
    """Answers of one investigation; several checks write at once. `silent` connections let a request time out."""

    rows: dict[tuple[str, ...], Answer] = field(default_factory=dict)
    silent: set[tuple[str, bytes]] = field(default_factory=set)
    turns: dict[tuple[str, ...], threading.Lock] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, answer: Answer) -> None:
        with self.lock:
            self.rows[answer.key] = answer

    def good(self, key: tuple[str, ...]) -> Answer | None:
        """What was answered to the same question; an error is worth a second try."""
        answer = self.rows.get(key)
        return answer if answer and 0 < answer.status < 500 else None

    def turn(self, key: tuple[str, ...]) -> threading.Lock:
        """The lock of one question: one asks, the others wait for its answer."""
        with self.lock:
            return self.turns.setdefault(key, threading.Lock())

    def all(self) -> tuple[Answer, ...]:
        with self.lock:
            return tuple(self.rows[key] for key in sorted(self.rows))


class _Recording(httpx.BaseTransport):
    """Asks for real and keeps what came back, also that nothing came back. The same question is asked once."""

    def __init__(self, connection: str, inner: httpx.BaseTransport, kept: _Kept, prefix: str = "") -> None:
        self._connection, self._inner, self._kept, self._prefix = connection, inner, kept, prefix

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started = time.time()
        blank = _question(self._connection, request, int(started * 1000), self._prefix)
        with self._kept.turn(blank.key):
            answer = self._kept.good(blank.key) or self._asked(blank, request, started)
        return httpx.Response(answer.status, text=answer.answer, request=request)

    def _asked(self, blank: Answer, request: httpx.Request, started: float) -> Answer:
        try:
            if (self._connection, request.url.netloc) in self._kept.silent:
                raise httpx.ReadTimeout("it has let another question time out", request=request)
            response = self._inner.handle_request(request)
            content = content_of(response)
        except httpx.HTTPError as error:
            if isinstance(error, httpx.TimeoutException):
                self._kept.silent.add((self._connection, request.url.netloc))
            self._kept.put(_with(blank, started, 0, "", named(error)))
            raise
        answer = _with(blank, started, response.status_code, content.decode("utf-8", "replace"), "")
        self._kept.put(answer)
        return answer

    def close(self) -> None:
        self._inner.close()


def _question(connection: str, request: httpx.Request, at_ms: int, prefix: str = "") -> Answer:
    body = request.content.decode("utf-8", "replace")
    path = request.url.path.removeprefix(prefix)
    return Answer(connection, request.method, path, sorted_params(request.url.query), body, 0, "", at_ms)


def _with(question: Answer, started: float, status: int, answer: str, error: str) -> Answer:
    took = int((time.time() - started) * 1000)
    return Answer(*question.key, status, answer, question.at_ms, took, error)


def named(error: httpx.HTTPError) -> str:
    """The error's class, then TLS or DNS where that was the trouble; the same live and in a replay."""
    name, message = type(error).__name__, str(error)
    if message.startswith(name):
        return message
    if "SSL" in message or "certificate" in message.lower():
        return f"{name} TLS"
    return f"{name} DNS" if any(words in message for words in UNRESOLVED) else name


def _error(name: str, request: httpx.Request) -> httpx.TransportError:
    """The error that was met then, so that a replay gives the same."""
    kind = getattr(httpx, name.partition(" ")[0], httpx.ConnectError)
    if not (isinstance(kind, type) and issubclass(kind, httpx.TransportError)):
        kind = httpx.ConnectError
    return kind(name or "no answer", request=request)


def _run_question(etcd: EtcdDecl, action: str) -> Answer:
    return Answer(etcd.name, "RUN", action, "", "", 0, "")


def _run_answer(blank: Answer, ran: Ran) -> Answer:
    """A run that ended has status 200 whatever its exit code is; a killed one has none."""
    content = msgspec.json.encode(RunAnswer(ran.rc, ran.stdout, ran.error)).decode()
    return Answer(*blank.key, 0 if ran.rc is None else 200, content, ran.at_ms, ran.took_ms, ran.error)


class _Replaying(httpx.BaseTransport):
    """Answers from the record, never from the network."""

    def __init__(self, connection: str, recorded: dict[tuple[str, ...], Answer], kept: _Kept, prefix: str = "") -> None:
        self._connection, self._recorded, self._kept, self._prefix = connection, recorded, kept, prefix

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._recorded.get(_question(self._connection, request, 0, self._prefix).key)
        if answer is None:
            raise NotRecorded(NotRecorded.WHY.format(connection=self._connection, path=request.url.path))
        self._kept.put(answer)
        if answer.status == 0:
            raise _error(answer.error, request)
        return httpx.Response(answer.status, text=answer.answer, request=request)


class LiveTransports:
    """Real requests to declared addresses; TLS verified, no redirects, no proxies of the environment."""

    def __init__(
        self,
        connections: Connections,
        read_secret: ReadSecret = FILES_ONLY,
        runs: Callable[[EtcdDecl, str, ReadSecret], Ran] = not_permitted,
    ) -> None:
        self._connections, self._read, self._kept, self._runs = connections, read_secret, _Kept(), runs

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """A client that keeps every answer."""
        way = way_to(base_url, access, self._read)
        return httpx.Client(
            base_url=way.base_url, headers=way.headers, auth=way.auth,
            timeout=httpx.Timeout(access.timeout_s, connect=min(CONNECT_S, access.timeout_s)),
            transport=_Recording(connection, way.transport, self._kept, way.prefix), follow_redirects=False,
            trust_env=False,
        )  # fmt: skip

    def run(self, etcd: EtcdDecl, action: str) -> Answer:
        """Runs it once per investigation. Raises Refused where it may not or cannot run."""
        blank = _run_question(etcd, action)
        with self._kept.turn(blank.key):
            known = self._kept.rows.get(blank.key)
            if known is None:
                known = _run_answer(blank, self._runs(etcd, action, self._read))
                self._kept.put(known)
        return known

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
        prefix = httpx.URL(base_url).path.rstrip("/") if isinstance(access, KubernetesDecl) else ""
        return httpx.Client(base_url=base_url, transport=_Replaying(connection, self._recorded, self._kept, prefix))

    def run(self, etcd: EtcdDecl, action: str) -> Answer:
        """What the run came to then. Raises NotRecorded when there was none."""
        answer = self._recorded.get(_run_question(etcd, action).key)
        if answer is None:
            raise NotRecorded(Text("{name}: {action} was not run then", name=etcd.name, action=action))
        self._kept.put(answer)
        return answer

    def answers(self) -> tuple[Answer, ...]:
        """Those recorded answers that were asked for."""
        return self._kept.all()


def encode_answer(answer: Answer) -> bytes:
    """One answer as JSON."""
    return msgspec.json.encode(answer)


def decode_answer(raw: bytes) -> Answer:
    """Raises msgspec's errors when it is not an answer."""
    return msgspec.json.decode(raw, type=Answer)
