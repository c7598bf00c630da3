"""The signed webhook: what arrives, and that the documented receiver takes it and nothing else."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refused, Unreachable
from domain.verdict_json import to_contract
from tests.fakes.server import Answer, Call, Fake, error, lost_answer
from tests.tickets.targets import Target, notification, target
from tickets.system import Reason

SECRET = "b6d1c3a19d1b4f0f8f5f1a9a7c0e2d44"
DOCS = Path(__file__).parents[2] / "docs/messages.md"


class Receiver(Fake):
    """Takes what is genuine, each key once, and answers with no JSON at all."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, Any] = {}

    def handle(self, call: Call) -> Answer:
        if not documented()(SECRET.encode(), call.headers["X-Incident-Graph-Signature"], call.body):
            return Answer(401, b"no")
        if call.headers["X-Incident-Graph-Event"] != "check":
            self.taken[call.headers["Idempotency-Key"]] = call.json
        return Answer(202, b"thanks")


def documented() -> Callable[..., bool]:
    """The receiver of docs/messages.md, as it stands there."""
    snippet = re.search(r"```python\n(.*?def genuine.*?)```", DOCS.read_text(), re.DOTALL)
    assert snippet, "docs/messages.md shows how to verify a message"
    names: dict[str, Any] = {}
    exec(snippet.group(1), names)
    return names["genuine"]


def hook(receiver: Receiver, folder: Path, **more: Any) -> Target:
    return target(folder, "webhook", url=f"{receiver.url}/incidents?team=a", **{"secret": SECRET, **more})


def test_the_verdict_arrives_signed_and_whole(tmp_path: Path) -> None:
    with Receiver() as receiver:
        sent = notification(3, Reason.RESOLVED)
        hook(receiver, tmp_path).notify(sent)
        ((key, payload),) = receiver.taken.items()
        assert key == "i1.3.resolved"
        assert payload["event"] == "resolved"
        assert (payload["incident"]["number"], payload["incident"]["started_at"]) == (7, "2026-11-20T08:00:00Z")
        assert sent.snapshot.verdict is not None
        assert payload["verdict"] == json.loads(json.dumps(to_contract(sent.snapshot.verdict)))
        assert payload["report"]["headline"] == "slow disk headline"
        assert receiver.calls[0].params == {"team": "a"}


def test_a_changed_body_an_old_time_and_another_secret_are_not_genuine(tmp_path: Path) -> None:
    with Receiver() as receiver:
        hook(receiver, tmp_path).notify(notification())
        call = receiver.calls[0]
    signature, genuine = call.headers["X-Incident-Graph-Signature"], documented()
    assert genuine(SECRET.encode(), signature, call.body)
    assert not genuine(SECRET.encode(), signature, call.body + b" ")
    assert not genuine(b"another", signature, call.body)
    for strange in ("", "t=x,v1=y", "t=²,v1=y", signature.replace("v1=", "v1=é"), signature.split(",")[0]):
        assert not genuine(SECRET.encode(), strange, call.body)
    at = int(re.findall(r"t=(\d+)", signature)[0])
    assert not genuine(SECRET.encode(), signature, call.body, now=at + 301), "a replay"
    moved = hmac.new(SECRET.encode(), f"{at}.".encode() + call.body, hashlib.sha256).hexdigest()
    assert not genuine(SECRET.encode(), f"t={at + 1},v1={moved}", call.body), "the time is signed too"


def test_a_lost_answer_is_repeated_under_the_same_key(tmp_path: Path) -> None:
    with Receiver() as receiver:
        one = hook(receiver, tmp_path)
        receiver.rule(lost_answer(), times=1)
        with pytest.raises(Unreachable):
            one.notify(notification())
        one.notify(notification())
        one.notify(notification())
        assert len(receiver.calls) == 2
        assert list(receiver.taken) == ["i1.1.verdict"]


def test_refusals_and_problems(tmp_path: Path) -> None:
    with Receiver() as receiver:
        one = hook(receiver, tmp_path)
        assert one.check() == []
        assert receiver.taken == {}
        receiver.rule(error(503, Retry_After="9"), times=1)
        with pytest.raises(Unreachable) as later:
            one.notify(notification())
        assert later.value.retry_after_s == 9
        receiver.rule(error(410), times=1)
        with pytest.raises(Refused, match="410"):
            one.notify(notification())
        assert "401" in hook(receiver, tmp_path, secret="another secret of some length").check()[0].sentence.en


def test_a_secret_is_needed_and_a_short_one_is_named(tmp_path: Path) -> None:
    with Receiver() as receiver:
        assert "secret_file" in target(tmp_path, "webhook", url=receiver.url).check()[0].sentence.en
        assert "url" in target(tmp_path, "webhook", secret=SECRET).check()[0].sentence.en


def test_a_dry_run_signs_and_sends_nothing(tmp_path: Path) -> None:
    with Receiver() as receiver:
        dry = hook(receiver, tmp_path, mode="dry-run")
        dry.notify(notification())
        assert receiver.calls == []
        assert json.loads(dry.traffic.held_back[0]["body"])["event"] == "verdict"
