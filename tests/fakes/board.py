"""The smallest ticket system: a board of items, its fake, and the system that speaks to it as the contract asks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.errors import Malformed, Refused
from domain.text import Text
from tests.fakes.server import Answer, Call, Fake
from tickets.system import Notification, Problem, Receipt, System, TargetState, TicketEvent, Transport
from tickets.transport import answered, asked


class Board(Fake):
    """`GET /items?incident=`, `POST /items`, `PUT /items/<id>`; anyone may make two items of one incident."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, dict[str, Any]] = {}
        self.refuses = ""

    def handle(self, call: Call) -> Answer:
        if self.refuses and call.writes:
            return Answer(403, {"error": self.refuses})
        if call.method == "GET":
            found = [i for i in self.items.values() if i["incident"] == call.params.get("incident", i["incident"])]
            return Answer(200, {"items": found})
        if call.method == "POST":
            key = f"B-{len(self.items) + 1}"
            self.items[key] = {"key": key, **call.json}
            return Answer(201, self.items[key])
        key = call.path.rpartition("/")[2]
        if key not in self.items:
            return Answer(404, {})
        self.items[key] |= call.json
        return Answer(200, self.items[key])


def _tell(means: Transport, notice: Notification, memory: TargetState) -> Receipt:
    key = memory.get("key") or _found(means, notice)
    body = {
        "incident": notice.snapshot.id, "title": notice.snapshot.title, "revision": notice.revision,
        "occasion": notice.occasion, "language": notice.language, "labels": list(notice.labels),
        "listed": [report.number for report in notice.digest], "headline": str(notice.report.headline),
    }  # fmt: skip
    if key:
        memory.put(key=key)
        answered(asked(means.client, "PUT", f"/items/{key}", "the board", json=body), "the board")
    else:
        key = str(answered(asked(means.client, "POST", "/items", "the board", json=body), "the board")["key"])
        memory.put(key=key)
    return Receipt(key, f"http://board/{key}", Text("The item is up to date.", "条目已更新。"))


def _found(means: Transport, notice: Notification) -> str:
    answer = asked(means.client, "GET", "/items", "the board", params={"incident": notice.snapshot.id})
    items = answered(answer, "the board")["items"]
    return str(items[0]["key"]) if items else ""


def _check(means: Transport) -> Sequence[Problem]:
    try:
        answered(asked(means.client, "GET", "/items", "the board"), "the board")
    except Refused as error:
        return [Problem(Text(str(error), str(error)))]
    return []


def _heard(means: Transport, headers: Mapping[str, str], body: bytes) -> Sequence[TicketEvent]:
    del headers
    try:
        events = msgspec.json.decode(body, type=list[dict[str, str]])
    except msgspec.DecodeError as error:
        raise Malformed("not a list of events", "body") from error
    return [_said(means, one) for one in events if one["by"] != means.declared.account]


def _said(means: Transport, event: dict[str, str]) -> TicketEvent:
    at = datetime.fromisoformat(event["at"]).astimezone(UTC) if "at" in event else means.now
    return TicketEvent(
        event["key"], event["verb"], event["by"], at, event["marker"], event.get("value", ""), event.get("note", "")
    )


def _polled(means: Transport, keys: Sequence[str], since: datetime) -> Sequence[TicketEvent]:
    items = answered(asked(means.client, "GET", "/items", "the board"), "the board")["items"]
    done = [i for i in items if i["key"] in keys and i.get("done_by") and i["done_by"] != means.declared.account]
    return [TicketEvent(i["key"], "resolved", i["done_by"], means.now, f"done {i['key']}") for i in done]


BOARD = System(
    "board", "ticket", Text("Board", "看板"), Text("Point the board's webhook here: {url}", "将看板的 webhook 指向：{url}"),
    _tell, _check, heard=_heard, polled=_polled, edits=True,
)  # fmt: skip


def _shout(means: Transport, notice: Notification, memory: TargetState) -> Receipt:
    body = {
        "incident": notice.snapshot.id, "occasion": notice.occasion, "revision": notice.revision,
        "listed": [notice.report.number, *(report.number for report in notice.digest)],
    }  # fmt: skip
    answered(asked(means.client, "POST", "", "the shout", json=body), "the shout")
    return Receipt("", "", Text("Told.", "已通知。"))


class Wall(Fake):
    """Takes messages, edits none."""

    def handle(self, call: Call) -> Answer:
        return Answer(200, {"errcode": 0})

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What arrived, in order."""
        return [call.json for call in self.calls if call.status == 200]


SHOUT = System(
    "shout", "chat", Text("Shout", "喊话"), Text("Nothing to set up.", "无需设置。"), _shout, lambda means: [],
)  # fmt: skip
