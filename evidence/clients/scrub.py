"""Takes out of a Kubernetes answer what may hold a secret or is of no use, before anything else sees it."""

import re
from typing import Any

import httpx
import msgspec

from evidence.bounded import content_of

DROPPED = {"env", "envFrom", "args", "managedFields", "data", "stringData", "imagePullSecrets"}
# How long a preStop hook waits is no secret.
PAUSE = re.compile(r"-c|\d{1,4}|sleep \d{1,4}")
REVISION = "deployment.kubernetes.io/revision"


class Scrubbed(httpx.BaseTransport):
    """Hands on the API server's answers without environment, arguments, annotations and header values."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer without secrets; what is not JSON is not handed on."""
        response = self._inner.handle_request(request)
        content = content_of(response)
        try:
            clean = msgspec.json.encode(scrubbed(msgspec.json.decode(content)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            clean = b"not JSON"
        return httpx.Response(response.status_code, content=clean, request=request)

    def close(self) -> None:
        """Closes the connections."""
        self._inner.close()


def scrubbed(node: Any) -> Any:
    """The same tree without what may hold a secret."""
    if isinstance(node, list):
        return [scrubbed(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {key: _entry(key, value) for key, value in node.items() if key not in DROPPED}


def _entry(key: str, value: Any) -> Any:
    """The value of one key without what may hold a secret."""
    match key, value:
        case "annotations", dict():
            return {name: text for name, text in value.items() if name == REVISION}
        case "command", list():
            return value[:1] + [word for word in value[1:] if _is_pause(word)]
        case "httpHeaders", list():
            return [{"name": header.get("name", ""), "value": ""} for header in value if isinstance(header, dict)]
        case "path", str():
            return value.partition("?")[0]
    return scrubbed(value)


def _is_pause(word: Any) -> bool:
    return isinstance(word, str) and bool(PAUSE.fullmatch(word))
