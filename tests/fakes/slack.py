"""Slack's Web API and its incoming webhooks as far as a bot that posts and edits uses them, held to its block rules."""

from typing import Any

from tests.fakes.server import Answer, Call, Fake

CHANNEL = "C024BE91L"
TOKEN = "xoxb-17653672481-19874698323-fake"
HOOK = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
READS = {"auth.test", "conversations.history"}


class Slack(Fake):
    """Messages by their `ts`; errors are `ok: false` with status 200, as Slack answers them."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.members = {CHANNEL}
        self.scopes = {"chat:write", "channels:history"}
        self.archived = False
        self.hooked: list[dict[str, Any]] = []

    @property
    def api(self) -> str:
        """The address of the Web API."""
        return f"{self.url}/api/"

    @property
    def hook(self) -> str:
        """The address of the incoming webhook; it is a secret."""
        return self.url + HOOK

    def handle(self, call: Call) -> Answer:
        if call.path.startswith("/services/"):
            return self._hooked(call)
        if call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _no("invalid_auth" if "Authorization" in call.headers else "not_authed")
        method = {
            "auth.test": self._auth_test, "chat.postMessage": self._post, "chat.update": self._update,
            "conversations.history": self._history,
        }.get(call.path.removeprefix("/api/"))  # fmt: skip
        return method(call) if method else _no("unknown_method")

    def _hooked(self, call: Call) -> Answer:
        if call.path != HOOK:
            return Answer(404, b"no_service")
        if self.archived:
            return Answer(410, b"channel_is_archived")
        message = call.json
        if not message.get("text") and not message.get("blocks"):
            return Answer(400, b"no_text")
        if fault(message.get("blocks", [])):
            return Answer(400, b"invalid_blocks")
        self.hooked.append(message)
        return Answer(200, b"ok")

    def _auth_test(self, call: Call) -> Answer:
        return Answer(200, {"ok": True, "url": self.url, "team": "T", "user": "bot", "bot_id": "B1"})

    def _place(self, call: Call) -> str:
        """The error of a call that writes into a channel."""
        if "chat:write" not in self.scopes:
            return "missing_scope"
        if call.json.get("channel") != CHANNEL:
            return "channel_not_found"
        if CHANNEL not in self.members:
            return "not_in_channel"
        return "is_archived" if self.archived else fault(call.json.get("blocks", []))

    def _post(self, call: Call) -> Answer:
        if wrong := self._place(call):
            return _no(wrong)
        ts = f"1764000000.{len(self.calls):06}"
        self.messages[ts] = call.json
        return Answer(200, {"ok": True, "channel": CHANNEL, "ts": ts, "message": call.json})

    def _update(self, call: Call) -> Answer:
        if wrong := self._place(call):
            return _no(wrong)
        ts = call.json.get("ts")
        if ts not in self.messages:
            return _no("message_not_found")
        self.messages[ts] = call.json
        return Answer(200, {"ok": True, "channel": CHANNEL, "ts": ts})

    def _history(self, call: Call) -> Answer:
        if "channels:history" not in self.scopes:
            return _no("missing_scope")
        newest = sorted(self.messages.items(), reverse=True)[: int(call.params.get("limit", 100))]
        all_ = call.params.get("include_all_metadata") == "true"
        shown = [
            {"ts": ts, "text": m["text"], **({"metadata": m.get("metadata", {})} if all_ else {})} for ts, m in newest
        ]
        return Answer(200, {"ok": True, "messages": shown})


def _no(error: str) -> Answer:
    return Answer(200, {"ok": False, "error": error})


def fault(blocks: list[dict[str, Any]]) -> str:
    """What is wrong with a message's blocks; empty when Slack would take them."""
    texts = [text for block in blocks for text in block.get("elements", [block.get("text")])]
    if len(blocks) > 50 or any(not _takes(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(len(text["text"]) for text in texts) > 13_000 else ""


def _takes(block: dict[str, Any]) -> bool:
    if block["type"] == "context":
        return 0 < len(block["elements"]) <= 10
    text = block["text"]
    if block["type"] == "header":
        return text["type"] == "plain_text" and 0 < len(text["text"]) <= 150
    return block["type"] == "section" and text["type"] in {"mrkdwn", "plain_text"} and 0 < len(text["text"]) <= 3_000
