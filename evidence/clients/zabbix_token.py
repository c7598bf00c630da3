"""The token of Zabbix's API, sent as the server's version takes it and kept out of every recording."""

from typing import Any

import httpx
import msgspec

from domain.connections import Access
from evidence.bounded import content_of

NOT_SIGNED_IN = ("session terminated", "not authorized", "not authorised")


class ZabbixAccess(Access, frozen=True, kw_only=True):
    """How the API of a declared alert source is reached."""

    api_token_file: str = ""
    api_token_env: str = ""


class WithApiToken(httpx.BaseTransport):
    """Works below the recording: the recorded question holds no token.

    From 6.4 a header is taken, and from 7.2 nothing else; before 6.4 the token is a part of the body.
    """

    def __init__(self, inner: httpx.BaseTransport, token: str) -> None:
        self._inner, self._token = inner, token

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Asks with the header, and once more with the token in the body too where that was not enough."""
        content = request.read()
        first = self._ask(request, content)
        if not _not_signed_in(first):
            return first
        body = msgspec.json.encode({**msgspec.json.decode(content, type=dict[str, Any]), "auth": self._token})
        second = self._ask(request, body)
        # A newer server takes no token in the body at all; its answer about the token itself is the better one.
        return first if "error" in _object(second) and not _not_signed_in(second) else second

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()

    def _ask(self, request: httpx.Request, content: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json-rpc", "Authorization": f"Bearer {self._token}"}
        asked = httpx.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )
        response = self._inner.handle_request(asked)
        return httpx.Response(response.status_code, content=content_of(response), request=request)


def _not_signed_in(answer: httpx.Response) -> bool:
    error = _object(answer).get("error")
    message = f"{error.get('message', '')} {error.get('data', '')}".lower() if isinstance(error, dict) else ""
    return any(demand in message for demand in NOT_SIGNED_IN)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
