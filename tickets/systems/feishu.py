"""A Feishu group robot that is signed: the time and an HMAC over it stand in the message."""

import base64
import hashlib
import hmac
from typing import Any

from domain.text import Text
from tickets.chat_robot import NO_SECRET, ChatRobot, Fault, by_code, code_of
from tickets.problems import RefusedWithText
from tickets.render import Content
from tickets.report import Report
from tickets.system import System, Transport

# Codes as Feishu's guide to custom bots lists them.
KNOWN = {
    11232: Fault(Text("More than 100 messages a minute or 5 a second went to this robot"), 60.0),
    19001: Fault(Text("Feishu does not know this robot; copy its address anew into url_file")),
    19021: Fault(
        Text("Feishu refused the signature: compare secret_file with the robot's settings, and the server's clock")
    ),
    19022: Fault(Text("Feishu does not take messages from this address; add it to the robot's list")),
    19024: Fault(Text("The robot wants a key word; use its signature instead")),
}


def signature(secret: str, at_s: int) -> str:
    """HMAC-SHA256 over nothing, keyed by the time in seconds and the secret, in Base64."""
    return base64.b64encode(hmac.new(f"{at_s}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


def _signed(transport: Transport, url: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    secret = transport.secret("secret")
    if not secret:
        raise RefusedWithText(NO_SECRET)
    at_s = int(transport.now.timestamp())
    return url, {"timestamp": str(at_s), "sign": signature(secret, at_s), **body}


def _body(report: Report, content: Content, language: str) -> dict[str, Any]:
    return {"msg_type": "post", "content": {"post": {"zh_cn" if language.startswith("zh") else "en_us": content}}}


ROBOT = ChatRobot(
    who="Feishu",
    form="feishu",
    body=_body,
    fault=by_code("Feishu", KNOWN, "code", "StatusCode"),
    probe={"msg_type": "text", "content": {}},
    probed=lambda answer: code_of(answer, "code", "StatusCode")[0] not in KNOWN,
    signed=_signed,
)
SYSTEM = System(
    kind="feishu",
    section="chat",
    title=Text("Feishu group robot"),
    setup=Text(
        "Add a custom bot with signature verification; its address goes into url_file, its secret into secret_file."
    ),
    notify=ROBOT.notify,
    check=ROBOT.check,
    every_s=1.0,
    reads=ROBOT.reads,
)
