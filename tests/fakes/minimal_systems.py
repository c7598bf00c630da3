"""The smallest ticket system: a board of items, its fake, and the system that speaks to it as the contract asks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.errors import Malformed, Refused
from domain.text import Text
from tests.fakes.server import Answer, Call, Fake
from tickets.system import Notification, Problem, Receipt, System, TargetState, TicketEvent, Transport
from tickets.transport import json_of, send_request


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


def _notify_board(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    key = state.get("key") or _find_item(transport, notification)
    body = {
        "incident": notification.snapshot.id, "title": notification.snapshot.title, "revision": notification.revision,
        "occasion": notification.reason, "language": notification.language, "labels": list(notification.labels),
        "listed": [report.number for report in notification.digest], "headline": str(notification.report.headline),
    }  # fmt: skip
    if key:
        state.put(key=key)
        json_of(send_request(transport.client, "PUT", f"/items/{key}", "the board", json=body), "the board")
    else:
        key = str(json_of(send_request(transport.client, "POST", "/items", "the board", json=body), "the board")["key"])
        state.put(key=key)
    return Receipt(key, f"http://board/{key}", Text.rendered("The item is up to date.", "条目已更新。"))


def _find_item(transport: Transport, notification: Notification) -> str:
    answer = send_request(transport.client, "GET", "/items", "the board", params={"incident": notification.snapshot.id})
    items = json_of(answer, "the board")["items"]
    return str(items[0]["key"]) if items else ""


def _check_board(transport: Transport) -> Sequence[Problem]:
    try:
        json_of(send_request(transport.client, "GET", "/items", "the board"), "the board")
    except Refused as error:
        return [Problem(Text.rendered(str(error), str(error)))]
    return []


def _parse_webhook(transport: Transport, headers: Mapping[str, str], body: bytes) -> Sequence[TicketEvent]:
    del headers
    try:
        events = msgspec.json.decode(body, type=list[dict[str, str]])
    except msgspec.DecodeError as error:
        raise Malformed("not a list of events", "body") from error
    return [_event_of(transport, one) for one in events if one["by"] != transport.declared.account]


def _event_of(transport: Transport, event: dict[str, str]) -> TicketEvent:
    at = datetime.fromisoformat(event["at"]).astimezone(UTC) if "at" in event else transport.now
    return TicketEvent(
        event["key"], event["verb"], event["by"], at, event["marker"], event.get("value", ""), event.get("note", "")
    )


def _poll_events(transport: Transport, keys: Sequence[str], since: datetime) -> Sequence[TicketEvent]:
    items = json_of(send_request(transport.client, "GET", "/items", "the board"), "the board")["items"]
    done = [i for i in items if i["key"] in keys and i.get("done_by") and i["done_by"] != transport.declared.account]
    return [TicketEvent(i["key"], "resolved", i["done_by"], transport.now, f"done {i['key']}") for i in done]


BOARD = System(
    "board", "ticket", Text.rendered("Board", "看板"), Text.rendered("Point the board's webhook here: {url}", "将看板的 webhook 指向：{url}"),
    _notify_board, _check_board, parse_webhook=_parse_webhook, poll_events=_poll_events, edits=True,
)  # fmt: skip


def _notify_shout(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    body = {
        "incident": notification.snapshot.id, "occasion": notification.reason, "revision": notification.revision,
        "listed": [notification.report.number, *(report.number for report in notification.digest)],
    }  # fmt: skip
    json_of(send_request(transport.client, "POST", "", "the shout", json=body), "the shout")
    return Receipt("", "", Text.rendered("Told.", "已通知。"))


class Wall(Fake):
    """Takes messages, edits none."""

    def handle(self, call: Call) -> Answer:
        return Answer(200, {"errcode": 0})

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What arrived, in order."""
        return [call.json for call in self.calls if call.status == 200]


SHOUT = System(
    "shout", "chat", Text.rendered("Shout", "喊话"), Text.rendered("Nothing to set up.", "无需设置。"), _notify_shout, lambda transport: [],
)  # fmt: skip
