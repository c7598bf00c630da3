"""A Zabbix frontend's JSON-RPC in three personalities: how a token comes and what a selection is called differ."""

import json
import time
from typing import Any

from tests.fakes.server import Answer, Call, Fake

TOKEN = "a" * 64
MEDIA = [{"mediatypeid": "38", "name": "Incident graph"}]


class Zabbix(Fake):
    """Events with comments; `version` is 6.0.14, 7.0.5 or 7.4.1. Answers have status 200, errors too."""

    def __init__(self, version: str = "6.0.14") -> None:
        super().__init__()
        self.version = version
        self.events: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.items: list[dict[str, str]] = []

    @property
    def old(self) -> bool:
        return self.version.startswith("6.0")

    def event(self, number: int, *, ended: int = 0, clock: float = 0.0, sent: bool = True, host: str = "db-1") -> str:
        """A problem event, with its recovery event when `ended` names one."""
        at = str(int(clock or time.time() - 600))
        alerts = [{"alertid": "1", "status": "2", "mediatypes": MEDIA}] if sent else []
        self.events[str(number)] = {
            "eventid": str(number), "clock": at, "name": f"etcd leader changed {number}", "severity": "2", "value": "1",
            "objectid": "23133", "opdata": "", "acknowledged": "0", "r_eventid": str(ended), "acknowledges": [],
            "hosts": [{"host": host, "name": host}], "tags": [{"tag": "component", "value": "etcd"}], "alerts": alerts,
        }  # fmt: skip
        if ended:
            self.events[str(ended)] = {
                **self.events[str(number)],
                "eventid": str(ended),
                "value": "0",
                "r_eventid": "0",
            }
        return str(number)

    def item(self, number: int, name: str, delay: str, *, trigger: str = "", master: str = "0") -> None:
        """An item that a trigger looks at; with a master it depends on that item."""
        kind = "18" if master != "0" else "2" if delay == "0" else "0"
        self.items.append({"itemid": str(number), "name": name, "delay": delay, "type": kind, "master_itemid": master,
                           "triggerid": trigger})  # fmt: skip

    def comments(self, number: int | str) -> list[str]:
        return [one["message"] for one in self.events[str(number)]["acknowledges"]]

    def handle(self, call: Call) -> Answer:
        asked = call.json
        method, params = asked["method"], asked["params"]
        if method == "apiinfo.version":
            wrong = "auth" in asked or "Authorization" in call.headers
            return _error("the method needs no token") if wrong else _result(self.version)
        if refusal := self._token(call, asked):
            return refusal
        return getattr(self, "_" + method.replace(".", "_"))(params)

    def _token(self, call: Call, asked: dict[str, Any]) -> Answer | None:
        if not self.old and self.version.startswith("7.4") and "auth" in asked:
            return _error('Invalid parameter "/": unexpected parameter "auth".', -32600)
        given = asked.get("auth") if self.old else call.headers.get("Authorization", "").removeprefix("Bearer ")
        if not given:
            return _error("Not authorized.")
        return None if given == TOKEN else _error("Session terminated, re-login, please.")

    def _host_get(self, params: dict[str, Any]) -> Answer:
        return _result([{"hostid": "10559"}] if len(self.hidden) < max(1, len(self.events)) else [])

    def _event_get(self, params: dict[str, Any]) -> Answer:
        wrong = {"select_acknowledges", "select_alerts"} if self.version.startswith("7.4") else set()
        wrong |= {"selectAcknowledges", "selectAlerts"} if self.old else set()
        if unknown := wrong & params.keys():
            return _error(f'Invalid parameter "/": unexpected parameter "{unknown.pop()}".')
        rows = [e for e in self.events.values() if e["eventid"] not in self.hidden]
        if "eventids" in params:
            rows = [e for e in rows if e["eventid"] in params["eventids"]]
        if "value" in params:
            rows = [e for e in rows if e["value"] == str(params["value"])]
        if "eventid_from" in params:
            rows = [e for e in rows if int(e["eventid"]) >= int(params["eventid_from"])]
        if "time_from" in params:
            rows = [e for e in rows if int(e["clock"]) >= int(params["time_from"])]
        rows.sort(key=lambda e: int(e["eventid"]))
        return _result([self._shown(e, params) for e in rows[: params.get("limit", 10**6)]])

    def _shown(self, event: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        keys = set(params["output"]) | {"eventid"}
        for name, key in (("selectHosts", "hosts"), ("selectTags", "tags"), ("selectAcknowledges", "acknowledges"),
                          ("select_acknowledges", "acknowledges"), ("selectAlerts", "alerts"),
                          ("select_alerts", "alerts")):  # fmt: skip
            keys |= {key} if name in params else set()
        return {key: value for key, value in event.items() if key in keys}

    def _item_get(self, params: dict[str, Any]) -> Answer:
        key = "triggerids" if "triggerids" in params else "itemids"
        fitting = [i for i in self.items if i[key.removesuffix("s")] in params[key]]
        return _result([{k: v for k, v in i.items() if k in params["output"]} for i in fitting[: params["limit"]]])

    def _event_acknowledge(self, params: dict[str, Any]) -> Answer:
        if set(params["eventids"]) - (self.events.keys() - self.hidden):
            return _error("No permissions to referred object or it does not exist!")
        if len(params.get("message", "")) > 2048:
            return _error('Invalid parameter "/message": value is too long.')
        for number in params["eventids"]:
            event = self.events[number]
            if params["action"] & 4:
                event["acknowledges"].append({"message": params["message"], "action": str(params["action"])})
            if params["action"] & 8:
                event["severity"] = str(params["severity"])
        return _result({"eventids": params["eventids"]})


def _result(result: Any) -> Answer:
    return Answer(200, json.dumps({"jsonrpc": "2.0", "result": result, "id": 1}).encode())


def _error(data: str, code: int = -32602) -> Answer:
    return Answer(200, {"jsonrpc": "2.0", "error": {"code": code, "message": "Invalid params.", "data": data}, "id": 1})
