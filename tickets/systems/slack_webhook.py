"""A Slack incoming webhook: it posts and cannot edit; its answer is one word, `ok` or an error's name."""

from typing import Any

import httpx

from domain.text import Text
from tickets.chat_robot import ChatRobot, Fault
from tickets.render import Content
from tickets.report import Report
from tickets.system import System

GONE = Fault(Text("Slack does not know this webhook; make a new one and copy its address into url_file"))
KNOWN = {
    "no_service": GONE,
    "no_service_id": GONE,
    "invalid_token": GONE,
    "no_team": GONE,
    "team_disabled": GONE,
    "no_active_hooks": GONE,
    "channel_not_found": Fault(Text("The webhook's channel is gone; make a new webhook")),
    "channel_is_archived": Fault(Text("The webhook's channel is archived; make a new webhook")),
    "action_prohibited": Fault(Text("An administrator forbids this webhook to post")),
    "posting_to_general_channel_denied": Fault(
        Text("This webhook may not post to the general channel; choose another")
    ),
}


def _fault(answer: httpx.Response) -> Fault | None:
    if answer.is_success and answer.text.strip() == "ok":
        return None
    word = answer.text.strip()[:100]
    sentence = Text("Slack refused with {status}: {word}", status=answer.status_code, word=word)
    return KNOWN.get(word, Fault(sentence))


def _body(report: Report, content: Content, language: str) -> dict[str, Any]:
    return {**content, "parse": "none", "link_names": False} if isinstance(content, dict) else {"text": content}


ROBOT = ChatRobot(
    who="Slack",
    form="slack",
    body=_body,
    fault=_fault,
    probe={"text": ""},
    probed=lambda answer: answer.status_code == 400 and answer.text.strip() in {"no_text", "missing_text"},
)
SYSTEM = System(
    kind="slack-webhook",
    section="chat",
    title=Text("Slack incoming webhook"),
    setup=Text("Make an incoming webhook for the channel and copy its address into a file, named in url_file."),
    notify=ROBOT.notify,
    check=ROBOT.check,
    every_s=1.0,
    reads=ROBOT.reads,
    pretend=lambda request: httpx.Response(200, text="ok", request=request),
)
