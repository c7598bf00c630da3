"""The robots of group chats as their references describe them: codes in answers of status 200, limits, signatures."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.fakes.server import Answer, Call, Fake


def _signed(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


class Robot(Fake):
    """A robot with what it showed in its group; `per_minute` is how many messages it takes, as the fake's clock runs."""

    per_minute = 20
    key = "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"
    secret = "SEC000000000000000000000"

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Any] = []
        self.times: list[float] = []

    @property
    def address(self) -> str:
        """What is copied from the group's settings; it is a secret."""
        raise NotImplementedError

    def too_fast(self) -> bool:
        """Whether this message is one too many within a minute."""
        now = time.monotonic()
        self.times = [at for at in self.times if now - at < 60]
        if len(self.times) >= self.per_minute:
            return True
        self.times.append(now)
        return False


class WeCom(Robot):
    """`POST /cgi-bin/webhook/send?key=`."""

    @property
    def address(self) -> str:
        return f"{self.url}/cgi-bin/webhook/send?key={self.key}"

    def handle(self, call: Call) -> Answer:
        if call.path != "/cgi-bin/webhook/send" or call.params.get("key") != self.key:
            return _code(93000, "invalid webhook url, hint: [1], from ip: 127.0.0.1")
        message = call.json
        if message.get("msgtype") not in {"text", "markdown"}:
            return _code(40008, "invalid message type")
        content = message[message["msgtype"]].get("content", "")
        if not content:
            return _code(44004, "text content empty")
        if len(content.encode()) > (4096 if message["msgtype"] == "markdown" else 2048):
            return _code(40058, "markdown.content exceed max length 4096. invalid Request Parameter")
        if self.too_fast():
            return _code(45009, "api freq out of limit")
        self.shown.append(content)
        return _code(0, "ok")


class DingTalk(Robot):
    """`POST /robot/send?access_token=&timestamp=&sign=`."""

    @property
    def address(self) -> str:
        return f"{self.url}/robot/send?access_token={self.key}"

    def handle(self, call: Call) -> Answer:
        if call.path != "/robot/send" or call.params.get("access_token") != self.key:
            return _code(300001, "token is not exist")
        at_ms = call.params.get("timestamp", "0")
        fits = call.params.get("sign") == _signed(self.secret, f"{at_ms}\n{self.secret}")
        if not fits or abs(time.time() - int(at_ms) / 1000) > 3600:
            return _code(310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]")
        message = call.json
        if (
            message.get("msgtype") != "markdown"
            or not message["markdown"].get("text")
            or not message["markdown"].get("title")
        ):
            return _code(40035, "缺少参数 json")
        if len(call.body) > 20_000:
            return _code(460101, "message too long, exceed 20000 bytes")
        if self.too_fast():
            return _code(130101, "send too fast, exceed 20 times per minute")
        self.shown.append(message["markdown"])
        return _code(0, "ok")


class Feishu(Robot):
    """`POST /open-apis/bot/v2/hook/<id>` with time and signature in the message."""

    per_minute = 100

    @property
    def address(self) -> str:
        return f"{self.url}/open-apis/bot/v2/hook/{self.key}"

    def handle(self, call: Call) -> Answer:
        if call.path != f"/open-apis/bot/v2/hook/{self.key}":
            return _feishu(19001, "param invalid: incoming webhook access token invalid")
        message = call.json
        at_s = str(message.get("timestamp", "0"))
        if message.get("sign") != _signed(f"{at_s}\n{self.secret}", "") or abs(time.time() - int(at_s)) > 3600:
            return _feishu(19021, "sign match fail or timestamp is not within one hour from current time")
        if len(call.body) > 20 * 1024 or not self._post(message):
            return _feishu(9499, "Bad Request")
        if self.too_fast():
            return _feishu(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
        self.shown.append(message["content"]["post"])
        return Answer(200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})

    @staticmethod
    def _post(message: dict[str, Any]) -> bool:
        """Whether it is a post of paragraphs of known tags."""
        post = message.get("content", {}).get("post", {}) if message.get("msg_type") == "post" else {}
        if not post or set(post) - {"zh_cn", "en_us", "ja_jp"}:
            return False
        tags = [tag for one in post.values() for paragraph in one["content"] for tag in paragraph]
        return bool(tags) and all(t["tag"] == "text" or (t["tag"] == "a" and t["href"]) for t in tags)


def _code(code: int, message: str) -> Answer:
    return Answer(200, {"errcode": code, "errmsg": message})


def _feishu(code: int, message: str) -> Answer:
    return Answer(200, {"code": code, "data": {}, "msg": message})


def titles(shown: list[Any]) -> str:
    """All that was shown, as one text to look into."""
    return json.dumps(shown, ensure_ascii=False)
