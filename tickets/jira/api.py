"""Jira's REST API over HTTP: Cloud or Data Center, its paths, and each refusal as one clear sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from domain.errors import Malformed, Refused, Unreachable
from tickets.sanitize import one_line
from tickets.system import Transport
from tickets.transport import json_of, raise_retryable, send_request

CLOUD, DATA_CENTER = "cloud", "datacenter"
GATEWAY = "api.atlassian.com"
PAGE = 100
# With these the request never left, so nothing can have been made.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class NotDone(Unreachable):
    """Jira has certainly changed nothing: the request never left, or Jira asked to wait."""


class Denied(Refused):
    """Jira refused: `status` is HTTP's, `fields` the reasons by field."""

    def __init__(self, sentence: str, status: int, fields: Mapping[str, str]) -> None:
        super().__init__(sentence)
        self.status = status
        self.fields = fields


@dataclass(frozen=True, slots=True)
class JiraApi:
    """A Jira that is known to be Cloud (API 3, documents) or Data Center (API 2, wiki text)."""

    transport: Transport
    cloud: bool

    def path(self, *steps: str) -> str:
        """The path of a resource below the base address; each step is escaped."""
        return "/".join(["rest/api", "3" if self.cloud else "2", *(quote(step, safe="") for step in steps)])

    def read(self, what: str, *steps: str, **params: str) -> Mapping[str, Any]:
        """A resource that must exist; a list comes as `result`. `what` names it in errors. Raises Denied."""
        return _json_of(_request(self.transport, "GET", self.path(*steps), params=params), what)

    def look(self, what: str, *steps: str, **params: str) -> Mapping[str, Any] | None:
        """A resource, or None where there is none that this user may see."""
        answer = _request(self.transport, "GET", self.path(*steps), params=params)
        return None if answer.status_code == 404 else _json_of(answer, what)

    def send(self, what: str, method: str, steps: Sequence[str], body: Any, **params: str) -> Mapping[str, Any]:
        """Changes a resource. Raises Denied with Jira's reasons."""
        return _json_of(_request(self.transport, method, self.path(*steps), params=params, json=body), what)

    def quietly(self, what: str, method: str, steps: Sequence[str], body: Any) -> Mapping[str, Any]:
        """Changes a resource without mails to its watchers, where the user is allowed to leave them out."""
        try:
            return self.send(what, method, steps, body, notifyUsers="false")
        except Denied as error:
            if error.status != 403:
                raise
            return self.send(what, method, steps, body)

    def search(self, jql: str, fields: str, most: int = 50) -> list[Mapping[str, Any]]:
        """Issues that fit, `most` at the most. The Cloud's search may not know yet what was written a moment ago."""
        found: list[Mapping[str, Any]] = []
        asked = {"jql": jql, "fields": fields, "maxResults": str(min(most, PAGE))}
        while True:
            answer = self.read("the search", "search", *(["jql"] if self.cloud else []), **asked)
            issues = answer.get("issues")
            page = [i for i in issues if isinstance(i, Mapping)] if isinstance(issues, list) else []
            found += page
            asked |= self._next(answer, len(found))
            last = answer.get("isLast", not answer.get("nextPageToken")) if self.cloud else len(found) >= _total(answer)
            if last or not page or len(found) >= most:
                return found[:most]

    def _next(self, answer: Mapping[str, Any], found: int) -> dict[str, str]:
        return {"nextPageToken": str(answer.get("nextPageToken", ""))} if self.cloud else {"startAt": str(found)}


def _total(answer: Mapping[str, Any]) -> int:
    total = answer.get("total")
    return total if isinstance(total, int) else 0


def connect(transport: Transport, known: str = "") -> JiraApi:
    """The API of a declared Jira; `known` is the deployment that was detected earlier. Raises Refused."""
    kind = transport.declared.deployment
    if kind == "auto":
        kind = known or _detect_deployment(transport)
    if kind not in {CLOUD, DATA_CENTER}:
        raise Refused(f"deployment is auto, {CLOUD} or {DATA_CENTER}, not {kind}")
    return JiraApi(transport, kind == CLOUD)


def _detect_deployment(transport: Transport) -> str:
    host = urlsplit(transport.declared.url).hostname or ""
    if host.endswith(".atlassian.net") or host == GATEWAY:
        return CLOUD
    answer = server_info(transport)
    return CLOUD if answer.get("deploymentType") == "Cloud" else DATA_CENTER


def server_info(transport: Transport) -> Mapping[str, Any]:
    """The server's `serverInfo`. Raises Refused when it is no Jira."""
    answer = _request(transport, "GET", "rest/api/2/serverInfo")
    info = {} if answer.status_code == 404 else _json_of(answer, "the server's information")
    if "versionNumbers" not in info and "version" not in info:
        raise Refused(f"{transport.declared.url} is not a Jira; give its base address, with the path if it has one")
    return info


def quoted(text: str) -> str:
    """A text as JQL takes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _request(transport: Transport, method: str, path: str, **more: Any) -> httpx.Response:
    try:
        answer = send_request(transport.client, method, path, "Jira", **more)
    except Unreachable as error:
        sent = isinstance(error.__cause__, httpx.HTTPError) and not isinstance(error.__cause__, NEVER_SENT)
        if sent:
            raise
        raise NotDone(str(error), error.retry_after_s) from error
    _raise_retryable(answer)
    return answer


def _raise_retryable(answer: httpx.Response) -> None:
    """Raises Unreachable for what may work later; NotDone where Jira only asks to wait."""
    reason = one_line(answer.headers.get("RateLimit-Reason", ""))[:60]
    try:
        raise_retryable(answer, f"Jira ({reason})" if reason else "Jira")
    except Unreachable as error:
        if answer.status_code == 429:
            raise NotDone(str(error), error.retry_after_s) from error
        raise
    if answer.status_code == 409:
        raise Unreachable("Jira answered 409: somebody else changes the same ticket")


def _json_of(answer: httpx.Response, what: str) -> Mapping[str, Any]:
    if answer.is_success:
        return json_of(answer, f"Jira, asked for {what},")
    messages, fields = _reasons(answer)
    raise Denied(_sentence(answer, what, messages, fields), answer.status_code, fields)


def _reasons(answer: httpx.Response) -> tuple[list[str], dict[str, str]]:
    """Jira's own reasons: messages, and reasons by field. An HTML page has none."""
    try:
        body = json_of(httpx.Response(200, content=answer.content), "Jira")
    except Malformed:
        return [], {}
    messages, errors = body.get("errorMessages"), body.get("errors")
    reasons = [one_line(str(m))[:300] for m in messages[:3]] if isinstance(messages, list) else []
    fields = dict(list(errors.items())[:10]) if isinstance(errors, Mapping) else {}
    return reasons, {one_line(str(k))[:60]: one_line(str(v))[:300] for k, v in fields.items()}


def _sentence(answer: httpx.Response, what: str, messages: Sequence[str], fields: Mapping[str, str]) -> str:
    """What was refused, why, and what helps."""
    status = answer.status_code
    if "AUTHENTICATION_DENIED" in answer.headers.get("X-Seraph-LoginReason", ""):
        return "Jira wants a CAPTCHA of this user; sign in as that user once in a browser"
    why = " ".join([*messages, *(f"{name}: {reason}" for name, reason in fields.items())])
    fixed = {
        401: "Jira refuses the login; check basic_user and its API token, the access token or the OAuth client",
        403: f"Jira does not permit {what} ({why or 'no reason given'}); give the user this permission in the project",
        404: f"Jira has no {what}, or this user may not see it",
        410: f"Jira has removed the address for {what}; set deployment to what it really is",
        413: f"Jira says that {what} is too large",
    }
    if 300 <= status < 400:
        return "Jira answers with a redirect; correct url to the address where it leads"
    if "labels" in fields and "cannot be set" in fields["labels"]:
        return "Jira does not take labels here; put the field Labels on the project's screens for create and edit"
    return fixed.get(status, f"Jira does not take {what}: {why or f'status {status}, no reason given'}")
