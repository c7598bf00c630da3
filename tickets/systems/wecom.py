"""A WeCom group robot: one message of at most 4,096 bytes, 20 a minute; the answer is always 200 with a code."""

from typing import Any

from domain.text import Text
from tickets.chat_robot import ChatRobot, Fault, by_code, code_of
from tickets.render import Content
from tickets.report import Report
from tickets.system import System

# Codes as WeCom's error reference lists them.
KNOWN = {
    -1: Fault(Text("WeCom is busy"), 5.0),
    45009: Fault(Text("More than 20 messages a minute went to this robot"), 60.0),
    45033: Fault(Text("Too many messages at the same time went to this robot"), 10.0),
    93000: Fault(Text("WeCom does not know this robot; copy its address anew into url_file")),
    93008: Fault(Text("The robot is no longer in its group; add it again")),
}  # fmt: skip


def _body(report: Report, content: Content, language: str) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": content}}


ROBOT = ChatRobot(
    who="WeCom",
    form="wecom",
    body=_body,
    fault=by_code("WeCom", KNOWN, "errcode"),
    probe={"msgtype": "text", "text": {"content": ""}},
    probed=lambda answer: code_of(answer, "errcode")[0] not in KNOWN,
)
SYSTEM = System(
    kind="wecom",
    section="chat",
    title=Text("WeCom group robot"),
    setup=Text(
        "Add a robot to the group, copy its address into a file that only the service reads, and name it in url_file."
    ),
    notify=ROBOT.notify,
    check=ROBOT.check,
    every_s=3.0,
    reads=ROBOT.reads,
)
