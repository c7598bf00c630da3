"""What robots of group chats have in common: a secret address takes a message and answers with a code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from domain.errors import Malformed, Refused, Unreachable
from domain.text import Text
from tickets.message import report_with_lead, sent_before, sent_receipt
from tickets.problems import RefusedWithText, problem_of
from tickets.render import Content, render
from tickets.report import Report
from tickets.system import Notification, Problem, Receipt, TargetState, Transport
from tickets.transport import raise_retryable, send_request

NO_SECRET = Text(
    "No signing secret is declared; copy it from the robot's settings into a file and name it in secret_file."
)
NO_ADDRESS = Text("No address is declared; put the robot's address into a file and name it in url_file.")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message was not taken, with the remedy; `again_s` is how long to wait, None where waiting does not help."""

    sentence: Text
    again_s: float | None = None

    @property
    def error(self) -> Unreachable | Refused:
        """What is raised for it."""
        return RefusedWithText(self.sentence) if self.again_s is None else Unreachable(self.sentence.en, self.again_s)


@dataclass(frozen=True, slots=True)
class ChatRobot:
    """A kind of robot. `body` makes the message of the rendered form; `signed` adds what proves who sends.

    `fault` reads an answer, None when the message was taken. `probe` is a message that the robot refuses as it is
    empty, after it has checked address and signature: `probed` is whether it refused for no other reason.
    """

    who: str
    form: str
    body: Callable[[Report, Content, str], dict[str, Any]]
    fault: Callable[[httpx.Response], Fault | None]
    probe: Mapping[str, Any]
    probed: Callable[[httpx.Response], bool]
    signed: Callable[[Transport, str, dict[str, Any]], tuple[str, dict[str, Any]]] = lambda transport, url, body: (
        url,
        body,
    )

    def notify(self, transport: Transport, notification: Notification, state: TargetState) -> Receipt:
        """Sends the message, once for each revision and reason. Raises Unreachable, Refused or Malformed."""
        if stands := sent_before(notification, state):
            return stands
        report = report_with_lead(notification)
        content = render(report, self.form, notification.language)
        answer = self._posted(transport, self.body(report, content, notification.language))
        raise_retryable(answer, self.who)
        if fault := self.fault(answer):
            raise fault.error
        return sent_receipt(notification, state)

    def check(self, transport: Transport) -> Sequence[Problem]:
        """Whether the robot would take a message; nothing is shown in the chat."""
        try:
            answer = self._posted(transport, dict(self.probe))
            raise_retryable(answer, self.who)
            fault = None if self.probed(answer) else self.fault(answer)
        except (Unreachable, Refused, Malformed) as error:
            return [problem_of(error)]
        return [Problem(fault.sentence, fatal=fault.again_s is None)] if fault else []

    def reads(self, request: httpx.Request) -> bool:
        """The probe changes nothing, so a dry run sends it too; a signature may have been added."""
        try:
            body = httpx.Response(200, content=request.content).json()
        except ValueError:
            return False
        return isinstance(body, dict) and self.probe.items() <= body.items()

    def _posted(self, transport: Transport, body: dict[str, Any]) -> httpx.Response:
        url = transport.secret("url") or transport.declared.url
        if not url:
            raise RefusedWithText(NO_ADDRESS)
        signed_url, signed = self.signed(transport, url, body)
        return send_request(transport.client, "POST", signed_url, self.who, json=signed)


def code_of(answer: httpx.Response, *names: str) -> tuple[int, str]:
    """Code and message of a JSON answer, by the first name that is there. Raises Malformed for other answers."""
    try:
        body = answer.json()
        code = next(body[name] for name in names if name in body)
        message = next((str(body[n]) for n in ("errmsg", "msg", "StatusMessage") if n in body), "")
        return int(code), message[:200]
    except (ValueError, TypeError, StopIteration) as error:
        raise Malformed(f"the answer ({answer.status_code}) is not a robot's; compare the address") from error


def by_code(who: str, known: Mapping[int, Fault], *names: str) -> Callable[[httpx.Response], Fault | None]:
    """Makes a `fault` that looks codes up in a table; an unknown code is shown with the robot's own message."""

    def fault(answer: httpx.Response) -> Fault | None:
        code, message = code_of(answer, *names)
        if code == 0:
            return None
        sentence = Text("{who} refused with code {code}: {message}", who=who, code=code, message=message)
        return known.get(code, Fault(sentence))

    return fault
