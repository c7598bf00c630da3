"""A DingTalk group robot that is signed: the time and an HMAC over it stand in the address."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from domain.text import Text
from tickets.chat_robot import NO_SECRET, ChatRobot, Fault, by_code, code_of
from tickets.problems import RefusedWithText
from tickets.render import Content
from tickets.render.form import title_of
from tickets.render.full_width import escaped
from tickets.report import Report
from tickets.system import System, Transport

# Codes as DingTalk's reference of custom robots lists them.
KNOWN = {
    -1: Fault(Text("DingTalk is busy"), 5.0),
    130101: Fault(Text("More than 20 messages a minute went to this robot"), 600.0),
    410100: Fault(Text("Messages go to this robot too fast"), 600.0),
    300001: Fault(Text("DingTalk does not know this robot; copy its address anew into url_file")),
    310000: Fault(
        Text(
            "DingTalk refused the sender: compare secret_file with the robot's signing secret, and the server's"
            " clock; a robot with key words or an address list needs the signature instead"
        )
    ),
    400101: Fault(Text("DingTalk does not know this robot; copy its address anew into url_file")),
    400106: Fault(Text("The robot was removed or stopped; add it again")),
}


def signature(secret: str, at_ms: int) -> str:
    """HMAC-SHA256 over the time in milliseconds and the secret, keyed by the secret, in Base64."""
    signed = f"{at_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _signed(transport: Transport, url: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    secret = transport.secret("secret")
    if not secret:
        raise RefusedWithText(NO_SECRET)
    at_ms = int(transport.now.timestamp() * 1000)
    extra = urlencode({"timestamp": at_ms, "sign": signature(secret, at_ms)})
    return f"{url}{'&' if '?' in url else '?'}{extra}", body


def _body(report: Report, content: Content, language: str) -> dict[str, Any]:
    markdown = {"title": escaped(title_of(report)), "text": content}
    return {"msgtype": "markdown", "markdown": markdown, "at": {"atMobiles": [], "isAtAll": False}}


ROBOT = ChatRobot(
    who="DingTalk",
    form="dingtalk",
    body=_body,
    fault=by_code("DingTalk", KNOWN, "errcode"),
    probe={"msgtype": "text", "text": {"content": ""}},
    probed=lambda answer: code_of(answer, "errcode")[0] not in KNOWN,
    signed=_signed,
)
SYSTEM = System(
    kind="dingtalk",
    section="chat",
    title=Text("DingTalk group robot"),
    setup=Text("Add a custom robot with a signature; its address goes into url_file, its secret into secret_file."),
    notify=ROBOT.notify,
    check=ROBOT.check,
    every_s=3.0,
    reads=ROBOT.reads,
)
