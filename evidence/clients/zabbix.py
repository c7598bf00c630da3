"""Zabbix's JSON-RPC as far as checks need it: how often the items behind a problem are looked at.

6.0 to 7.4 take the same question. Only how the token is sent differs, and that stands below the recording.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from domain.connections import SourceDecl
from domain.errors import Malformed, Refused, Unreachable
from evidence.clients.zabbix_token import ZabbixAccess
from evidence.recording import Transports

PATH = "api_jsonrpc.php"
MOST = 20
DEPENDENT = "18"
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _Item(msgspec.Struct):
    itemid: str
    name: str = ""
    delay: str = ""
    type: str = ""
    master_itemid: str = "0"


class _Error(msgspec.Struct):
    message: str = ""
    data: str = ""


class _Response(msgspec.Struct):
    result: list[_Item] | None = None
    error: _Error | None = None


# Made here, where one thread imports.
READER = msgspec.json.Decoder(_Response)


@dataclass(frozen=True, slots=True)
class Looked:
    """An item by its name, how often it is looked at in seconds, and how Zabbix writes that.

    `every_s` is None for what is sent when it happens, for a schedule, and for a macro, which the API does not resolve.
    """

    name: str
    every_s: float | None
    written: str


class Zabbix:
    """One frontend. All calls raise Unreachable, Refused, Malformed or NotRecorded with one sentence."""

    def __init__(self, declared: SourceDecl, transports: Transports) -> None:
        self._declared, self._transports = declared, transports

    def looked(self, triggers: Sequence[str]) -> tuple[Looked, ...]:
        """The items of these triggers, by name. An item that depends on another one is looked at with that one."""
        items = self._items(triggerids=list(triggers))
        masters = sorted({item.master_itemid for item in items if item.type == DEPENDENT})
        delays = {item.itemid: item.delay for item in self._items(itemids=masters)} if masters else {}
        found = []
        for item in items:
            delay = delays.get(item.master_itemid, item.delay) if item.type == DEPENDENT else item.delay
            found.append(Looked(item.name, seconds(delay), delay))
        return tuple(sorted(found, key=lambda looked: looked.name))

    def _items(self, **which: list[str]) -> list[_Item]:
        params = {**which, "output": ["itemid", "name", "delay", "type", "master_itemid"], "limit": MOST}
        answer = self._post({"jsonrpc": "2.0", "method": "item.get", "params": params, "id": 1})
        try:
            response = READER.decode(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed("Zabbix answered with something that is not its JSON; is api_url right?") from error
        if response.result is None:
            why = response.error or _Error("it gave no reason")
            raise Refused(f"Zabbix refused item.get: {why.message} {why.data}".strip()[:300])
        return response.result

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        declared = self._declared
        access = ZabbixAccess(
            api_token_file=declared.api_token_file, api_token_env=declared.api_token_env, ca_file=declared.ca_file,
            timeout_s=declared.timeout_s,
        )  # fmt: skip
        with self._transports.client(declared.name, declared.api_url, access) as client:
            try:
                answer = client.post(PATH, json=body)
            except httpx.TimeoutException as error:
                raise Unreachable("Zabbix did not answer in time") from error
            except httpx.HTTPError as error:
                raise Unreachable(f"Zabbix cannot be reached ({type(error).__name__})") from error
        if answer.status_code != 200:
            raise Unreachable(f"Zabbix answered {answer.status_code}")
        return answer


def seconds(delay: str) -> float | None:
    """The usual interval of an item's delay (`30s`, `1m;10s/1-5,09:00-18:00`); None for none, a macro or a schedule."""
    found = re.fullmatch(r"(\d{1,9})([smhdw]?)", delay.partition(";")[0])
    every = int(found.group(1)) * SECONDS[found.group(2)] if found else 0
    return float(every) or None
