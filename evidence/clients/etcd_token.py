"""A token for an etcd with authentication: asked for when a member demands one, kept out of every recording."""

from typing import Any

import httpx
import msgspec

from evidence.bounded import content_of

# The gateway answers 401 to a bad token and 400 to an empty name; a new token does not help a missing permission (403).
DEMANDS = ("user name is empty", "invalid auth token", "unauthenticated")


class WithToken(httpx.BaseTransport):
    """Works below the recording, so that neither password nor token is ever recorded.

    The first try goes without a token: most questions need none, and authentication itself needs a quorum.
    """

    def __init__(self, inner: httpx.BaseTransport, user: str, password: str) -> None:
        self._inner, self._user, self._password, self._token = inner, user, password, ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Asks, and once more with a new token where one is demanded."""
        answer = self._ask(request)
        if not request.url.path.startswith("/v3/") or not _demanded(answer):
            return answer
        refusal = self._authenticate(request)
        return refusal or self._ask(request)

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()

    def _ask(self, request: httpx.Request) -> httpx.Response:
        if self._token:
            request.headers["Authorization"] = self._token
        response = self._inner.handle_request(request)
        return httpx.Response(response.status_code, content=content_of(response), request=request)

    def _authenticate(self, request: httpx.Request) -> httpx.Response | None:
        """Fetches a token. Returns None, or etcd's answer when it refused."""
        asked = httpx.Request(
            "POST", request.url.copy_with(path="/v3/auth/authenticate", query=None), extensions=request.extensions,
            content=msgspec.json.encode({"name": self._user, "password": self._password}),
        )  # fmt: skip
        response = self._inner.handle_request(asked)
        answer = httpx.Response(response.status_code, content=content_of(response), request=request)
        self._token = str(_object(answer).get("token", ""))
        return None if self._token else answer


def _demanded(answer: httpx.Response) -> bool:
    """Whether the answer demands a new token; 3.4 gives the reason in `error`, 3.6 in `message` alone."""
    body = _object(answer) if answer.status_code in {400, 401} else {}
    message = f"{body.get('error', '')} {body.get('message', '')}".lower()
    return answer.status_code == 401 or any(demand in message for demand in DEMANDS)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
