"""Builds the HTTP client of one target: bound to its address, authenticated, counted, and harmless in a dry run."""

import ssl
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import Malformed, Refused, Unreachable
from domain.redaction import HIDDEN, redacted
from domain.secrets import secret_of
from tickets.system import MADE_UP, System

ANSWER_LIMIT = 4 * 1024 * 1024
SHOWN_CALLS, SHOWN_BODY = 40, 40_000
TOKEN_MARGIN_S = 60.0
LONGEST_CALL_S = 30.0
SECRETS = (
    "bearer", "basic_password", "oauth_client_secret", "webhook_secret", "webhook_path", "url", "secret", "api_token",
    "token",
)  # fmt: skip


def secrets_of(declared: Any, variable: Callable[[str], str]) -> Callable[[str], str]:
    """Reads a declaration's secrets by name, from `<name>_file` or the variable in `<name>_env`.

    The reader gives an empty text for what is not declared, and raises Refused for what cannot be read.
    """

    return lambda name: secret_of(declared, name, _content, variable)


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{name}_file: {file} cannot be read ({type(error).__name__}); correct the path") from error


def known_secrets(secret: Callable[[str], str]) -> tuple[str, ...]:
    """All secrets of a declaration, longest first, for taking them out of what is shown."""
    found: set[str] = set()
    for name in SECRETS:
        try:
            found.add(secret(name))
        except Refused:
            continue
    return tuple(sorted((one for one in found if len(one) > 3), key=len, reverse=True))


def without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret hidden, also where it stands encoded in an address."""
    for one in secrets:
        text = text.replace(one, HIDDEN).replace(quote(one, safe=""), HIDDEN)
    return redacted(text)


@dataclass(slots=True)
class Traffic:
    """What went over one client: how many answers of each status (0 for none), and what a dry run held back."""

    secrets: tuple[str, ...] = ()
    codes: dict[int, int] = field(default_factory=dict)
    held_back: list[dict[str, str]] = field(default_factory=list)

    def count(self, status: int) -> None:
        """One more answer."""
        self.codes[status] = self.codes.get(status, 0) + 1

    def show(self, method: str, address: str, body: str) -> None:
        """Keeps a call that was not made, without secrets."""
        if len(self.held_back) < SHOWN_CALLS:
            shown = {"method": method, "url": without_secrets(address, self.secrets)}
            self.held_back.append({**shown, "body": without_secrets(body, self.secrets)[:SHOWN_BODY]})


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt is bounded and watched: its traffic, its length in seconds, and whether it is a dry run."""

    traffic: Traffic
    seconds: float = 60.0
    dry_run: bool = False
    began: float = field(default_factory=time.monotonic)


class _Guarded(httpx.BaseTransport):
    """Refuses other addresses and calls after the deadline, bounds the answer, counts, holds a dry run's writes."""

    def __init__(self, system: System, allowed: frozenset[str], attempt: Attempt, inner: httpx.BaseTransport) -> None:
        self._system, self._allowed, self._attempt, self._inner = system, allowed, attempt, inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if origin(request.url) not in self._allowed:
            raise Refused(f"{request.url.host} is not an address of this connection; nothing was sent")
        if time.monotonic() - self._attempt.began > self._attempt.seconds:
            raise Unreachable("the time for one attempt is over; it goes on with the next one")
        if self._held(request):
            self._attempt.traffic.show(request.method, str(request.url), request.content.decode("utf-8", "replace"))
            return self._system.pretend(request)
        if self._attempt.dry_run and MADE_UP in request.url.path:
            return self._system.pretend(request)
        return self._sent(request)

    def _held(self, request: httpx.Request) -> bool:
        asks_token = request.extensions.get("asks_token", False)
        return self._attempt.dry_run and not asks_token and not self._system.reads(request)

    def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._inner.handle_request(request)
            content = self._bounded(answer)
        except httpx.HTTPError:
            self._attempt.traffic.count(0)
            raise
        self._attempt.traffic.count(answer.status_code)
        headers = [(k, v) for k, v in answer.headers.multi_items() if k.lower() not in _FRAMING]
        return httpx.Response(answer.status_code, headers=headers, content=content, request=request)

    def _bounded(self, answer: httpx.Response) -> bytes:
        """The body, bounded in size, and in time too: one that trickles must not outlast the worker's claim."""
        parts: list[bytes] = []
        size = 0
        whole = httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)
        try:
            for part in whole.iter_bytes():
                size += len(part)
                if size > ANSWER_LIMIT:
                    raise httpx.ReadError(f"the answer is larger than {ANSWER_LIMIT} bytes")
                if time.monotonic() - self._attempt.began > self._attempt.seconds + LONGEST_CALL_S:
                    raise httpx.ReadTimeout("the answer does not come to its end")
                parts.append(part)
        finally:
            whole.close()
        return b"".join(parts)

    def close(self) -> None:
        """The shared transport stays open for the next attempt."""


_FRAMING = {"content-encoding", "content-length", "transfer-encoding"}


def origin(url: httpx.URL) -> str:
    """Scheme, host and port."""
    return f"{url.scheme}://{url.host}:{url.port or {'http': 80, 'https': 443}.get(url.scheme, 0)}"


_shared: dict[tuple[str, ...], httpx.HTTPTransport] = {}
_shared_lock = threading.Lock()


def _transport(declared: Any) -> httpx.HTTPTransport:
    """One pool of connections per trust and client certificate; a changed file makes a new one."""
    files = [getattr(declared, name, "") for name in ("ca_file", "client_cert_file", "client_key_file")]
    key = tuple(f"{file} {_changed(file)}" if file else "" for file in files)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = httpx.HTTPTransport(verify=trust(*files), retries=0)
        return _shared[key]


def _changed(file: str) -> int:
    try:
        return Path(file).stat().st_mtime_ns
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}); correct the path") from error


def trust(ca_file: str, cert_file: str = "", key_file: str = "") -> ssl.SSLContext:
    """The system's authorities, or the declared one instead; always verified."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
    except OSError as error:
        raise Refused(f"ca_file or client_cert_file cannot be used ({error}); give PEM files") from error
    return context


@dataclass(slots=True)
class ClientCredentials(httpx.Auth):
    """OAuth 2.0 client credentials: fetches a token, keeps it until shortly before its end, renews a refused one."""

    declared: Any
    secret: Callable[[str], str]
    requires_response_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with a token; once more with a new one when it is refused."""
        key = (self.declared.oauth_token_url, self.declared.oauth_client_id)
        token, until = _tokens.get(key, ("", 0.0))
        fresh = time.monotonic() >= until
        if fresh:
            token = yield from self._fetch(key, request)
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == 401 and not fresh:
            request.headers["Authorization"] = f"Bearer {(yield from self._fetch(key, request))}"
            yield request

    def _fetch(self, key: tuple[str, str], about: httpx.Request) -> Generator[httpx.Request, httpx.Response, str]:
        """A new token, within the time limits of the request that it is for."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.declared.oauth_client_id,
            "client_secret": self.secret("oauth_client_secret"),
            **({"scope": self.declared.oauth_scope} if self.declared.oauth_scope else {}),
        }
        asks = {**about.extensions, "asks_token": True}
        answer = json_of((yield httpx.Request("POST", key[0], data=form, extensions=asks)), "the token server")
        token, lasts = str(answer.get("access_token", "")), answer.get("expires_in") or 300
        if not token:
            raise Malformed("the token server gave no access_token; check oauth_token_url")
        _tokens[key] = (token, time.monotonic() + max(0.0, float(lasts) - TOKEN_MARGIN_S))
        return token


_tokens: dict[tuple[str, str], tuple[str, float]] = {}


def client(system: System, declared: Any, secret: Callable[[str], str], attempt: Attempt) -> httpx.Client:
    """A client for one attempt on one declared target. Raises Refused when the declaration cannot be used."""
    base = secret("url") or getattr(declared, "url", "") or getattr(declared, "api_url", "") or system.url
    # A target without HTTP (mail) gets a client that reaches nothing.
    allowed = {origin(httpx.URL(base))} if base else set()
    if token_url := getattr(declared, "oauth_token_url", ""):
        allowed.add(origin(httpx.URL(token_url)))
    guard = _Guarded(system, frozenset(allowed), attempt, _transport(declared))
    return httpx.Client(
        base_url=base, headers=_headers(declared, secret), auth=_auth(declared, secret), transport=guard,
        timeout=_timeout(declared.timeout_s), follow_redirects=False,
        trust_env=False,
    )  # fmt: skip


def _timeout(seconds: float) -> httpx.Timeout:
    """As declared, but never so long that the last call outlasts the worker's claim on the row."""
    return httpx.Timeout(min(seconds, LONGEST_CALL_S), connect=min(5.0, seconds))


def _headers(declared: Any, secret: Callable[[str], str]) -> dict[str, str]:
    headers = {"User-Agent": "incident-graph", "Accept": "application/json", **getattr(declared, "headers", {})}
    if bearer := secret("bearer"):
        headers["Authorization"] = f"Bearer {bearer}"
    return headers


def _auth(declared: Any, secret: Callable[[str], str]) -> httpx.Auth | None:
    if getattr(declared, "oauth_token_url", ""):
        return ClientCredentials(declared, secret)
    if getattr(declared, "basic_user", ""):
        return httpx.BasicAuth(declared.basic_user, secret("basic_password"))
    return None


def send_request(client: httpx.Client, method: str, path: str, who: str, **more: Any) -> httpx.Response:
    """Sends one request; returns the response whatever its status. Raises Unreachable where there is none."""
    try:
        return client.request(method, path, **more)
    except httpx.TimeoutException as error:
        raise Unreachable(f"{who} did not answer in time") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"{who} cannot be reached ({_reason(error)})") from error


# Parts of the operating system's errors, with the reason and the remedy that are shown for them.
_FAULTS = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted; name its authority in ca_file",
    "Connection refused": "nothing accepts connections there; check address and port",
    "Name or service not known": "its name is not known; check the address",
    "No address associated": "its name is not known; check the address",
    "Temporary failure in name resolution": "names cannot be looked up at the moment",
}


def _reason(error: httpx.HTTPError) -> str:
    return next((remedy for text, remedy in _FAULTS.items() if text in str(error)), type(error).__name__)


def json_of(answer: httpx.Response, who: str) -> Mapping[str, Any]:
    """The JSON object of a good answer (empty for none).

    Raises Unreachable for 429, 408 and 5xx with how long to wait, Refused for other refusals and redirects,
    Malformed for what is no JSON.
    """
    raise_retryable(answer, who)
    if not answer.is_success:
        raise Refused(f"{who} refused with {answer.status_code}")
    if not answer.content.strip():
        return {}
    try:
        body = answer.json()
    except ValueError as error:
        raise Malformed(f"{who} answered {answer.status_code} with something that is not JSON") from error
    return body if isinstance(body, Mapping) else {"result": body}


def raise_retryable(answer: httpx.Response, who: str) -> None:
    """Raises Unreachable for 408, 425, 429 and 5xx, with the wait that the response asks for, in seconds."""
    if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
        wait = retry_after_s(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        raise Unreachable(f"{who} answered {answer.status_code}", wait)


def retry_after_s(text: str, now: datetime) -> float:
    """Retry-After in seconds, given as seconds or as a date; 0 when it is neither, at most a day."""
    try:
        return min(86_400.0, max(0.0, float(text)))
    except ValueError:
        pass
    try:
        return min(86_400.0, max(0.0, (parsedate_to_datetime(text) - now).total_seconds()))
    except (ValueError, TypeError):
        return 0.0
