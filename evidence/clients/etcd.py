"""An etcd member over HTTP: health, local reads and the JSON gateway, all members at once, never a member list.

What differs by version, as measured: `/livez` and `/readyz` are there from 3.4.29, 3.5.11 and 3.6; before that they
are 404. `/health` gives a `reason` from 3.5. With authentication 3.6 tells its status to administrators only.
Without a leader `/health` answers 503 at once on all of them, while `/readyz` and, on 3.6, the list of alarms hang:
so `/health` alone decides, and the others are asked where they answer.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from domain.connections import EtcdDecl, EtcdMemberDecl
from domain.errors import NotRecorded
from evidence.recording import Transports, named

TIMEOUT_S = 5.0
LOCAL_READ = b'{"key":"aGVhbHRo","serializable":true}'
ALARMS = ("NOSPACE", "CORRUPT")


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """What one member answered.

    `state` is healthy, unhealthy (it said so), hangs (connects, never answers), refused (nobody listens),
    unreachable (no connection in time), or unasked (our own TLS, name or address is the trouble, not the member).
    `leader` and `member_id` are decimal strings as the gateway gives them, empty when unknown.
    `local_read` is whether it reads without consensus, None when unknown; `leaderless` that it said so itself.
    A learner does not vote.
    """

    name: str
    state: str
    detail: str = ""
    member_id: str = ""
    leader: str = ""
    alarms: tuple[str, ...] | None = None
    version: str = ""
    local_read: bool | None = None
    learner: bool = False
    leaderless: bool = False

    @property
    def bad(self) -> bool:
        """Whether the member is reported or observed as not working."""
        return self.state in {"unhealthy", "refused", "unreachable"}

    @property
    def counts(self) -> bool:
        """Whether it takes part in consensus: an alarm makes it call itself unhealthy, and it still does."""
        return self.state == "healthy" or bool(self.alarms and not self.leaderless)

    @property
    def note(self) -> str:
        """For the detail table."""
        local = {True: "local read ok", False: "local read fails", None: ""}[self.local_read]
        alarms = ", ".join(self.alarms or ())
        return "; ".join(t for t in (f"{self.state} {self.detail}".strip(), alarms, local, self.version) if t)


def ask_members(etcd: EtcdDecl, transports: Transports) -> tuple[MemberHealth, ...]:
    """Every declared member in parallel, in the order of declaration."""
    with ThreadPoolExecutor(max_workers=max(1, min(16, len(etcd.member)))) as pool:
        return tuple(pool.map(lambda member: _member(etcd, member, transports), etcd.member))


def _member(etcd: EtcdDecl, member: EtcdMemberDecl, transports: Transports) -> MemberHealth:
    access = msgspec.structs.replace(etcd, timeout_s=min(etcd.timeout_s, TIMEOUT_S))
    with transports.client(f"{etcd.name}/{member.name}", member.endpoint, access) as client:
        try:
            health = client.get("/health")
        except httpx.HTTPError as error:
            return _unanswered(member.name, error)
        status = _maybe(lambda: client.post("/v3/maintenance/status", content=b"{}"))
        good = _is_healthy(health)
        reads = _reads_locally(client, good)
        ready = _maybe(lambda: client.get("/readyz?verbose")) if good else None
        # Asked last, and only where there is a leader: without one the newest versions never answer it.
        led = good or bool(_object(status).get("leader"))
        alarm = _maybe(lambda: client.post("/v3/maintenance/alarm", content=b'{"action":"GET"}')) if led else None
    return _judged(member.name, health, (status, ready, alarm), reads)


def _maybe(ask: Callable[[], httpx.Response]) -> httpx.Response | None:
    """An answer that only rounds the picture off."""
    try:
        return ask()
    except (httpx.HTTPError, NotRecorded):
        return None


def _unanswered(name: str, error: httpx.HTTPError) -> MemberHealth:
    """What it means that `/health` gave no answer."""
    error_name = named(error)
    if error_name.endswith("TLS"):
        return MemberHealth(name, "unasked", "TLS: check ca_file, client_cert_file and the member's certificate")
    if error_name.endswith("DNS"):
        return MemberHealth(name, "unasked", "the name of its endpoint does not resolve here")
    if isinstance(error, httpx.RemoteProtocolError):
        return MemberHealth(name, "unasked", "it does not speak plain HTTP; write https:// in its endpoint")
    if isinstance(error, httpx.ConnectTimeout):
        return MemberHealth(name, "unreachable", "no connection in time")
    if isinstance(error, httpx.TimeoutException):
        return MemberHealth(name, "hangs", "no answer in time")
    return MemberHealth(name, "refused", error_name)


def _is_healthy(health: httpx.Response) -> bool:
    return health.status_code == 200 and str(_object(health).get("health", "")).lower() == "true"


def _reads_locally(client: httpx.Client, good: bool) -> bool | None:
    """By `/livez`; before it existed by a serializable read, which a healthy member need not prove."""
    alive = _maybe(lambda: client.get("/livez?verbose"))
    if alive is not None and alive.status_code != 404:
        return alive.status_code == 200
    if good:
        return None
    read = _maybe(lambda: client.post("/v3/kv/range", content=LOCAL_READ))
    return None if read is None or read.status_code in {400, 401, 403, 404} else read.status_code == 200


def _judged(
    name: str, health: httpx.Response, more: tuple[httpx.Response | None, ...], reads: bool | None
) -> MemberHealth:
    """One member's health; `more` are its answers to status, readyz and alarm, `reads` whether a read worked."""
    status, alarm = _object(more[0]), _object(more[2])
    body, header = _object(health), status.get("header")
    state, detail = _state(health, body)
    reason = str(body.get("reason", ""))
    complaints = [detail, reason.strip(), *_failed(more[1])]
    complaints += [str(error) for error in status.get("errors") or [] if isinstance(error, str)]
    complaints += _complaint("status", status) + _complaint("alarm", alarm)
    return MemberHealth(
        name, state, "; ".join(dict.fromkeys(text for text in complaints if text))[:200],
        str(header.get("member_id", "")) if isinstance(header, dict) else "",
        str(status.get("leader", "")), _alarms(more[2], reason), str(status.get("version", ""))[:20], reads,
        status.get("isLearner") is True, "header" in status and not status.get("leader"),
    )  # fmt: skip


def _complaint(what: str, answer: dict[str, Any]) -> list[str]:
    """The error of one answer, after the name of the question; nothing where it has none."""
    message = answer.get("error") or answer.get("message")
    return [f"{what}: {message}"] if message else []


def _state(health: httpx.Response, body: dict[str, Any]) -> tuple[str, str]:
    if _is_healthy(health):
        return "healthy", ""
    if "health" in body or health.status_code >= 500:
        return "unhealthy", ""
    return "unasked", f"/health answered {health.status_code}"


def _failed(ready: httpx.Response | None) -> list[str]:
    """The failed checks of `/readyz?verbose`, such as `[-]data_corruption failed: ...`."""
    lines = ready.text.splitlines() if ready is not None and ready.status_code >= 500 else []
    return [line[3:120].strip() for line in lines if line.startswith("[-]")]


def _alarms(alarm: httpx.Response | None, reason: str) -> tuple[str, ...] | None:
    """The alarms that are set; None when that could not be asked."""
    alarms = {kind for kind in ALARMS if f"ALARM {kind}" in reason}
    if alarm is None or alarm.status_code != 200:
        return tuple(sorted(alarms)) or None
    listed = _object(alarm).get("alarms")
    rows = listed if isinstance(listed, list) else []
    return tuple(sorted(alarms | {str(a.get("alarm", "")) for a in rows if isinstance(a, dict)}))


def _object(response: httpx.Response | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any]) if response is not None else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
