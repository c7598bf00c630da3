"""A probe from the service itself, to a declared target only: resolve, connect, TLS, then HTTP or gRPC health.

It stands behind the recording transport as if it were a server, so that its outcome is kept and replayed like any
answer: one question, answered by the steps that were taken, the first failure last.
"""

import errno
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
import httpx
import msgspec
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from domain.connections import ProbeTargetDecl
from evidence.certificates import UNTRUSTED, fault_of_error

PORTS = {"http": 80, "https": 443, "tls": 443, "grpc": 50051}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: resolve, tcp, tls, http or grpc. `error` is empty when it went well; `took_ms` in milliseconds."""

    step: str
    took_ms: float
    error: str = ""
    code: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """All steps that were taken, in order."""

    steps: list[Step]

    def step(self, name: str) -> Step | None:
        """The step of that name, None when it was not reached."""
        return next((s for s in self.steps if s.step == name), None)

    @property
    def passes(self) -> bool:
        """Whether every step went well."""
        return bool(self.steps) and not any(s.error for s in self.steps)


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    host: str
    port: int
    path: str


class Probing(httpx.BaseTransport):
    """Answers any request with a fresh probe of the one declared target. Its TLS is verified by `tls`."""

    def __init__(self, target: ProbeTargetDecl, tls: ssl.SSLContext, headers: dict[str, str]) -> None:
        self._target, self._tls = target, tls
        self._headers = {"User-Agent": "incident-graph-probe", "Connection": "close", **headers}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The outcome as JSON, always with status 200: a probe that fails is an answer."""
        steps = list(self._steps())
        return httpx.Response(200, content=msgspec.json.encode(Outcome(steps)), request=request)

    def _steps(self) -> Iterator[Step]:
        """Ends after the first step that fails."""
        parts = urlsplit(self._target.url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        address = _Address(parts.scheme, parts.hostname or "", port, parts.path)
        for name, act in self._plan(address):
            step = _timed(name, act)
            yield step
            if step.error:
                return

    def _plan(self, address: _Address) -> Iterator[tuple[str, Callable[[], int]]]:
        yield "resolve", lambda: self._resolve(address)
        yield "tcp", lambda: self._connect(address)
        if address.scheme in {"https", "tls"}:
            yield "tls", lambda: self._handshake(address)
        if address.scheme in {"http", "https"}:
            yield "http", self._http
        if address.scheme == "grpc":
            yield "grpc", lambda: self._grpc(address)

    def _resolve(self, address: _Address) -> int:
        """The system's resolver knows no time limit, so it is left behind when it takes too long."""
        pool = ThreadPoolExecutor(max_workers=1)
        try:
            pool.submit(socket.getaddrinfo, address.host, address.port, 0, socket.SOCK_STREAM).result(
                timeout=self._target.timeout_s
            )
        finally:
            pool.shutdown(wait=False)
        return 0

    def _connect(self, address: _Address) -> int:
        with socket.create_connection((address.host, address.port), timeout=self._target.timeout_s):
            return 0

    def _handshake(self, address: _Address) -> int:
        with (
            socket.create_connection((address.host, address.port), timeout=self._target.timeout_s) as plain,
            self._tls.wrap_socket(plain, server_hostname=address.host),
        ):
            return 0

    def _http(self) -> int:
        """As the kubelet does it: a new connection, no redirects to elsewhere, 200 to 399 is well."""
        with httpx.Client(
            verify=self._tls, timeout=self._target.timeout_s, follow_redirects=False, trust_env=False,
            headers=self._headers,
        ) as client, client.stream("GET", self._target.url) as answer:  # fmt: skip
            began = time.monotonic()
            size = 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > 10_240:
                    break
                if time.monotonic() - began > self._target.timeout_s:
                    raise httpx.ReadTimeout("the body did not end in time")
            if not 200 <= answer.status_code < 400:
                raise _Answered(answer.status_code)
            return answer.status_code

    def _grpc(self, address: _Address) -> int:
        where = f"{address.host}:{address.port}"
        options = (("grpc.enable_http_proxy", 0),)
        channel = grpc.insecure_channel(where, options=options)
        if self._target.ca_file:
            with open(self._target.ca_file, "rb") as authority:
                made = grpc.ssl_channel_credentials(root_certificates=authority.read())
            channel = grpc.secure_channel(where, made, options=options)
        with channel:
            request = health_pb2.HealthCheckRequest(service=address.path.strip("/"))
            response = health_pb2_grpc.HealthStub(channel).Check(request, timeout=self._target.timeout_s)
        if response.status != health_pb2.HealthCheckResponse.SERVING:
            raise _Answered(int(response.status))
        return int(response.status)


class _Answered(Exception):
    """The target answered with an error; `code` is its status."""

    def __init__(self, code: int) -> None:
        super().__init__(f"answered {code}")
        self.code = code


# What each error means, most specific first; the words are the step's `error`.
WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((_Answered,), "answered no"),
    ((ssl.SSLCertVerificationError,), UNTRUSTED),
    ((TimeoutError, TooLate, httpx.TimeoutException), "timeout"),
    ((ssl.SSLError,), "no TLS"),
    ((socket.gaierror,), "no such name"),
    ((ConnectionRefusedError,), "refused"),
    ((ConnectionResetError,), "reset"),
    ((httpx.RemoteProtocolError,), "closed"),
    ((OSError, httpx.HTTPError, ValueError), "failed"),
)
# The kernel's own answers to an attempt to connect.
BY_ERRNO = {errno.EHOSTUNREACH: "unreachable", errno.ENETUNREACH: "unreachable", errno.EHOSTDOWN: "unreachable",
            errno.EPERM: "forbidden", errno.EACCES: "forbidden"}  # fmt: skip
EXPECTED = tuple(kind for kinds, _ in WORDS for kind in kinds)


def _timed(name: str, act: Callable[[], int]) -> Step:
    began = time.monotonic()
    try:
        code, error = act(), ""
    except grpc.RpcError as problem:
        code, error = 0, str(problem.code().name).lower().replace("_", " ")
    except EXPECTED as problem:
        code, error = getattr(problem, "code", 0), _word(problem)
    return Step(step=name, took_ms=round((time.monotonic() - began) * 1000, 1), error=error, code=int(code or 0))


def _word(problem: BaseException) -> str:
    """The word for an expected error: the certificate's fault and the kernel's answer where they are known."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return fault_of_error(problem)
    plain = isinstance(problem, OSError) and not isinstance(problem, ssl.SSLError)
    known = BY_ERRNO.get(getattr(problem, "errno", 0) or 0, "") if plain else ""
    return known or next(word for kinds, word in WORDS if isinstance(problem, kinds))
