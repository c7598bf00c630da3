"""Zabbix's JSON-RPC of 6.0 to 7.4: how a token is sent and what a field is called depend on the version."""

import json
from typing import Any

import httpx

from domain.errors import Malformed, Refused
from domain.text import Text
from tickets.problems import RefusedWithText
from tickets.sanitize import one_line
from tickets.transport import json_of, send_request

WHO = "Zabbix"
PATH = "api_jsonrpc.php"
SEVERITIES = ("not classified", "information", "warning", "average", "high", "disaster")
# From 6.4 a token may come as a header; from 7.2 it may come in no other way.
BEARER_FROM = (6, 4)
RENAMED_FROM = (7, 0)
NO_PERMISSION = "no permissions to referred object"
NOT_SIGNED_IN = ("session terminated", "not authorized", "not authorised", "api token expired")
TOKEN = Text(
    "Zabbix does not take the API token; make a new one for the integration user and put it into api_token_file"
)
RIGHTS = Text(
    "Zabbix hides this event from the API user; give the user's group read permission for the event's host group"
)


class ZabbixApi:
    """One frontend. Raises Unreachable, Refused or Malformed; an error of Zabbix comes with status 200."""

    def __init__(self, client: httpx.Client, base_url: str, token: str) -> None:
        self._client, self._url, self._token = client, f"{base_url.rstrip('/')}/{PATH}", token
        self._version: tuple[int, int] | None = None

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor; asked once, without the token."""
        if self._version is None:
            version = str(self._send("apiinfo.version", {}, {}, {}))
            try:
                major, minor = (int(part) for part in version.split(".")[:2])
            except ValueError as error:
                raise Malformed(
                    f"{WHO} tells the version {version[:40]!r}, which is none; is api_url right?"
                ) from error
            self._version = (major, minor)
        return self._version

    @property
    def acknowledges(self) -> str:
        """What the selection of an event's comments is called."""
        return "selectAcknowledges" if self.version >= RENAMED_FROM else "select_acknowledges"

    @property
    def alerts(self) -> str:
        """What the selection of an event's messages is called."""
        return "selectAlerts" if self.version >= RENAMED_FROM else "select_alerts"

    def call(self, method: str, **params: Any) -> Any:
        """The result of one call with the token."""
        bearer = self.version >= BEARER_FROM
        headers = {"Authorization": f"Bearer {self._token}"} if bearer else {}
        return self._send(method, params, headers, {} if bearer else {"auth": self._token})

    def _send(self, method: str, params: dict[str, Any], headers: dict[str, str], more: dict[str, str]) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, **more}
        headers = {"Content-Type": "application/json-rpc", **headers}
        answer = json_of(
            send_request(self._client, "POST", self._url, WHO, content=json.dumps(body), headers=headers), WHO
        )
        if "error" in answer:
            raise _refused(method, answer["error"])
        if "result" not in answer:
            raise Malformed(f"{WHO} answered without a result; api_url must be the frontend's address")
        return answer["result"]


def _refused(method: str, error: Any) -> Refused:
    message = f"{error.get('message', '')} {error.get('data', '')}" if isinstance(error, dict) else str(error)
    if any(words in message.lower() for words in NOT_SIGNED_IN):
        return RefusedWithText(TOKEN)
    if NO_PERMISSION in message.lower():
        return RefusedWithText(RIGHTS)
    return Refused(f"{WHO} refused {method}: {one_line(message)[:300]}")


def only_reads(request: httpx.Request) -> bool:
    """Whether a request changes nothing: every call is a POST, so the method's name decides."""
    try:
        method = str(json.loads(request.content).get("method", ""))
    except (ValueError, AttributeError):
        return False
    return method.endswith(".get") or method == "apiinfo.version"
