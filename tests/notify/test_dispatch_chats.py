"""Every chat at once, from the record through the outbox to servers, and no secret anywhere on the way."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers

from connections import declare
from domain.alerts import AlertState
from domain.connections import ChatDecl, Connections, PrometheusDecl
from incidents.models import AuditEntry, Connection
from notify import dispatch
from notify.models import Outbox, TargetStatus
from tests.fakes.process_kill import killed_at
from tests.fakes.robots import DingTalk, Feishu, WeCom
from tests.fakes.server import Answer, Call, Fake, error
from tests.fakes.slack import CHANNEL, HOOK, TOKEN, Slack
from tests.fakes.smtp_server import PASSWORD, USER, SmtpServer
from tests.notify.scene import ManualClock, an_incident, judged

WEBHOOK_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SECRETS = [WeCom.key, DingTalk.secret, TOKEN, HOOK, PASSWORD, WEBHOOK_SECRET]


class Own(Fake):
    """A receiver of one's own."""

    def handle(self, call: Call) -> Answer:
        return Answer(204)


class City:
    """All servers, and the declarations that reach them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.wecom, self.dingtalk, self.feishu = (stack.enter_context(one()) for one in (WeCom, DingTalk, Feishu))
        self.slack, self.own = stack.enter_context(Slack()), stack.enter_context(Own())
        self.smtp = stack.enter_context(SmtpServer(folder))

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content)
        return str(self.folder / name)

    def chats(self, mode: str) -> list[ChatDecl]:
        def chat(kind: str, **more: Any) -> ChatDecl:
            return ChatDecl(kind=kind, name=kind, timeout_s=3.0, mode=mode, **more)

        secret = self.file("sec", DingTalk.secret)
        return [
            chat("wecom", url_file=self.file("wecom", self.wecom.address), language="zh"),
            chat("dingtalk", url_file=self.file("ding", self.dingtalk.address), secret_file=secret),
            chat("feishu", url_file=self.file("feishu", self.feishu.address), secret_file=secret),
            chat("slack", url=self.slack.api, bearer_file=self.file("token", TOKEN), channel=CHANNEL),
            chat("slack-webhook", url_file=self.file("hook", self.slack.hook)),
            chat("webhook", url=self.own.url, secret_file=self.file("own", WEBHOOK_SECRET)),
            chat("mail", smtp_host="localhost", smtp_port=self.smtp.port, ca_file=str(self.smtp.cert), basic_user=USER,
                 basic_password_file=self.file("pass", PASSWORD), sender="graph@a.example", recipients=["b@a.example"]),
        ]  # fmt: skip

    def declare(self, mode: str = "send") -> None:
        main = PrometheusDecl(name="main", url="http://prometheus.example:9090")
        declare.declare(Connections(chat=self.chats(mode), prometheus=[main]))

    def counts(self) -> dict[str, int]:
        return {
            "wecom": len(self.wecom.shown), "dingtalk": len(self.dingtalk.shown), "feishu": len(self.feishu.shown),
            "slack": len(self.slack.messages), "slack-webhook": len(self.slack.hooked), "webhook": len(self.own.calls),
            "mail": len(self.smtp.delivered),
        }  # fmt: skip

    @property
    def fakes(self) -> list[Fake]:
        return [self.wecom, self.dingtalk, self.feishu, self.slack, self.own]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with ExitStack() as stack:
        yield City(tmp_path, stack)


def dispatch_all(clock: ManualClock) -> None:
    """Until every target had its turn: robots take a message each few seconds."""
    for _ in range(4):
        dispatch.dispatch_waiting(clock)
        clock.move(seconds=10)


def kept() -> str:
    rows = [row for model in (Outbox, TargetStatus, Connection, AuditEntry) for row in model.objects.all()]
    return json.dumps(serializers.serialize("python", rows), default=str)


@pytest.mark.django_db
def test_every_chat_gets_the_verdict_and_the_resolution_once(city: City, clock: ManualClock) -> None:
    city.declare()
    judged(an_incident())
    dispatch_all(clock)
    assert city.counts() == dict.fromkeys(city.counts(), 1)
    dispatch_all(clock)
    an_incident(state=AlertState.RESOLVED)
    dispatch_all(clock)
    assert city.counts() == {**dict.fromkeys(city.counts(), 2), "slack": 1}
    assert set(Outbox.objects.values_list("state", flat=True)) == {"done"}
    assert "已恢复" in city.wecom.shown[1]
    assert "Slow disk under an etcd member" not in city.wecom.shown[1], "it is written in Chinese"


@pytest.mark.django_db
def test_a_dry_run_sends_nothing_and_shows_every_message(city: City, clock: ManualClock) -> None:
    city.declare("dry-run")
    judged(an_incident())
    dispatch_all(clock)
    assert city.counts() == dict.fromkeys(city.counts(), 0)
    previews = Outbox.objects.values_list("preview", flat=True)
    assert len(previews) == 7
    assert all("etcd-slow-disk" in json.dumps(preview) for preview in previews)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["send", "dry-run"])
def test_no_secret_is_kept_shown_or_logged(
    city: City, clock: ManualClock, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    city.declare(mode)
    judged(an_incident())
    for fake in city.fakes:
        fake.rule(error(500), times=1)
        fake.rule(error(403), times=1)
    dispatch_all(clock)
    clock.move(hours=1)
    dispatch_all(clock)
    assert Outbox.objects.exclude(reason="").exists() or mode == "dry-run"
    assert not [secret for secret in SECRETS if secret in kept() or secret in caplog.text]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after_commit", [False, True])
def test_a_death_at_any_call_leaves_one_message_of_the_bot(city: City, clock: ManualClock, after_commit: bool) -> None:
    (bot,) = [chat for chat in city.chats("send") if chat.kind == "slack"]
    declare.declare(Connections(chat=[bot]))
    judged(an_incident())
    number = 1
    while killed_at(city.slack, number, lambda: dispatch.dispatch_waiting(clock), after_commit=after_commit):
        clock.move(seconds=140)
        number += 1
        Outbox.objects.update(lost=0)
    assert number > 1
    assert len(city.slack.messages) == 1
    assert Outbox.objects.get().state == "done"
