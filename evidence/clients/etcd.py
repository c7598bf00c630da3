"""An etcd member over HTTP: health and the JSON gateway, all members at once, never a member list."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from domain.connections import EtcdDecl, EtcdMemberDecl
from evidence.recording import Transports

TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """What one member said. `state` is healthy, unhealthy, hangs (connects, never answers) or refused.

    `leader` and `member_id` are decimal strings as the gateway gives them, empty when unknown.
    """

    name: str
    state: str
    detail: str = ""
    member_id: str = ""
    leader: str = ""
    alarms: tuple[str, ...] = ()


def ask_members(etcd: EtcdDecl, transports: Transports) -> tuple[MemberHealth, ...]:
    """Every declared member in parallel, in the order of declaration."""
    with ThreadPoolExecutor(max_workers=max(1, len(etcd.member))) as pool:
        return tuple(pool.map(lambda member: _member(etcd, member, transports), etcd.member))


def _member(etcd: EtcdDecl, member: EtcdMemberDecl, transports: Transports) -> MemberHealth:
    access = msgspec.structs.replace(etcd, timeout_s=min(etcd.timeout_s, TIMEOUT_S))
    with transports.client(f"{etcd.name}/{member.name}", member.endpoint, access) as client:
        try:
            health = client.get("/health")
            status = _object(client.post("/v3/maintenance/status", content=b"{}"))
            alarm = _object(client.post("/v3/maintenance/alarm", content=b'{"action":"GET"}'))
        except httpx.TimeoutException as error:
            state = "refused" if isinstance(error, httpx.ConnectTimeout) else "hangs"
            return MemberHealth(member.name, state, "no answer in time")
        except httpx.HTTPError as error:
            state = "hangs" if "Timeout" in str(error) and "Connect" not in str(error) else "refused"
            return MemberHealth(member.name, state, type(error).__name__)
    return _judged(member.name, health, status, alarm)


def _judged(name: str, health: httpx.Response, status: dict[str, Any], alarm: dict[str, Any]) -> MemberHealth:
    body = _object(health)
    good = health.status_code == 200 and str(body.get("health", "")).lower() == "true"
    header = status.get("header")
    kinds = [a.get("alarm", "") for a in alarm.get("alarms", []) if isinstance(a, dict)]
    return MemberHealth(
        name, "healthy" if good else "unhealthy", str(body.get("reason", ""))[:200],
        str(header.get("member_id", "")) if isinstance(header, dict) else "",
        str(status.get("leader", "")), tuple(sorted(map(str, kinds))),
    )  # fmt: skip


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
