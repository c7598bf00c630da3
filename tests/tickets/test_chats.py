"""Every chat against a server that behaves as its reference describes: sent once, within limits, errors understood."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.errors import Refused, Unreachable
from tests.fakes.robots import DingTalk, Feishu, Robot, WeCom
from tests.fakes.server import Answer, Fault, error, late, lost_answer
from tests.fakes.slack import CHANNEL, TOKEN, Slack
from tests.tickets.targets import Target, another, notification, target
from tickets.system import Reason
from tickets.systems import all_systems


@dataclass
class Chat:
    """A target with the server behind it; `shown` is what people see there."""

    kind: str
    server: Robot | Slack
    target: Target

    @property
    def shown(self) -> list[str]:
        if not isinstance(self.server, Slack):
            messages = self.server.shown
        else:
            messages = self.server.hooked if self.kind == "slack-webhook" else list(self.server.messages.values())
        return [json.dumps(m, ensure_ascii=False) for m in messages]

    @property
    def secrets(self) -> list[str]:
        return [self.server.key, self.server.secret] if isinstance(self.server, Robot) else [TOKEN, "XXXXXXXXXXXX"]


ROBOTS = {"wecom": WeCom, "dingtalk": DingTalk, "feishu": Feishu}
KINDS = ["dingtalk", "feishu", "slack", "slack-webhook", "wecom"]


@pytest.fixture(params=KINDS)
def chat(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chat]:
    kind = request.param
    server = ROBOTS[kind]() if kind in ROBOTS else Slack()
    with server:
        yield Chat(kind, server, of(kind, server, tmp_path))


def of(kind: str, server: Robot | Slack, folder: Path, **more: str) -> Target:
    if isinstance(server, Robot):
        secret = "" if kind == "wecom" else server.secret
        return target(folder, kind, address=server.address, secret=secret, **more)
    if kind == "slack-webhook":
        return target(folder, kind, address=server.hook, **more)
    return target(folder, kind, bearer=TOKEN, url=server.api, **{"channel": CHANNEL, **more})


def test_these_are_the_chats() -> None:
    chats = [kind for kind, system in all_systems().items() if system.section == "chat"]
    assert chats == ["dingtalk", "feishu", "mail", "slack", "slack-webhook", "webhook", "wecom"]


def test_a_verdict_is_sent_with_headline_and_link(chat: Chat) -> None:
    receipt = chat.target.notify(notification())
    assert len(chat.shown) == 1
    assert "slow disk headline" in chat.shown[0]
    assert "https://graph.example/incidents/i1/" in chat.shown[0]
    assert receipt.sentence.en == "Sent."


def test_the_same_revision_is_sent_once(chat: Chat) -> None:
    chat.target.notify(notification())
    assert "sent before" in chat.target.notify(notification()).sentence.en
    assert len(chat.server.writes) == 1


def test_a_resolution_leads_with_it_in_the_targets_language(chat: Chat) -> None:
    chat.target.notify(notification())
    chat.target.notify(notification(2, Reason.RESOLVED, language="zh"))
    assert "已恢复: slow disk" in chat.shown[-1].replace("：", ":").replace("＃", "#")
    assert len(chat.shown) == (1 if chat.kind == "slack" else 2), "only the bot edits its message"


def test_a_storm_is_one_message(chat: Chat) -> None:
    chat.target.notify(notification(reason=Reason.DIGEST, digest=tuple(another(n) for n in range(8, 13))))
    assert len(chat.shown) == 1
    assert "#7 6 incidents at once: slow disk" in chat.shown[0].replace("＃", "#")
    for number in range(8, 13):
        assert f"https://graph.example/incidents/{number}/" in chat.shown[0]


def test_the_message_of_a_storm_stays_when_its_first_incident_changes(tmp_path: Path) -> None:
    with Slack() as slack:
        bot = of("slack", slack, tmp_path)
        slack.rule(lost_answer(), when=lambda call: call.writes, times=1)
        with pytest.raises(Unreachable):
            bot.notify(notification(reason=Reason.DIGEST, digest=(another(8),)))
        bot.notify(notification(reason=Reason.DIGEST, digest=(another(8),)))
        assert len(slack.messages) == 1
        bot.notify(notification(2, Reason.RESOLVED))
        assert len(slack.messages) == 2
        assert "Further incidents" in json.dumps(next(iter(slack.messages.values())))


def test_the_largest_report_is_taken(chat: Chat) -> None:
    chat.target.notify(notification(text="<!channel> @all <@U123> 瘦磁盘 " * 30, language="zh"))
    assert len(chat.shown) == 1
    assert "<!channel>" not in chat.shown[0] or chat.kind == "feishu", "only literal text may hold it"
    assert "<@U123>" not in chat.shown[0] or chat.kind == "feishu"


def test_a_server_that_asks_to_wait_is_retried_after_that_wait(chat: Chat) -> None:
    chat.server.rule(error(429, Retry_After="7"), times=1)
    with pytest.raises(Unreachable) as later:
        chat.target.notify(notification())
    assert later.value.retry_after_s == 7
    chat.server.rule(error(500), times=1)
    with pytest.raises(Unreachable):
        chat.target.notify(notification())
    chat.target.notify(notification())
    assert len(chat.shown) == 1


@pytest.mark.parametrize("fault", [lost_answer(), late(1.5)])
def test_a_lost_answer_is_retried_and_the_bot_finds_its_message(chat: Chat, fault: Fault) -> None:
    chat.server.rule(fault, when=lambda call: call.writes, times=1)
    with pytest.raises(Unreachable):
        chat.target.notify(notification())
    chat.target.notify(notification())
    chat.target.notify(notification(2, Reason.CAUSE_CHANGED))
    assert len(chat.shown) == (1 if chat.kind == "slack" else 3), "a robot's chat cannot be searched"


def test_a_good_target_has_no_problem_and_the_check_shows_nothing(chat: Chat) -> None:
    assert chat.target.check() == []
    assert chat.shown == []


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(chat: Chat, tmp_path: Path) -> None:
    dry = of(chat.kind, chat.server, tmp_path, mode="dry-run")
    dry.notify(notification())
    assert chat.shown == []
    assert "slow disk headline" in json.loads(json.dumps(dry.traffic.held_back))[0]["body"]
    assert dry.check() == []
    assert not any(secret in json.dumps(dry.traffic.held_back) for secret in chat.secrets)


def test_no_secret_is_logged_or_shown_in_an_error(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    texts = []
    for fault in (error(500), error(404), error(403), lost_answer(), Fault(before=Answer(200, b"<html>"))):
        chat.server.rule(fault, times=1)
        with pytest.raises(Exception) as raised:
            chat.target.notify(notification())
        texts.append(str(raised.value))
        chat.server.rule(fault, times=1)
        texts += [problem.sentence.en for problem in chat.target.check()]
    assert len(texts) == 10
    assert not any(secret in text for secret in chat.secrets for text in [*texts, caplog.text])


@pytest.mark.parametrize(
    ("kind", "wrong", "remedy"),
    [
        ("wecom", "key", "copy its address anew into url_file"),
        ("dingtalk", "key", "copy its address anew into url_file"),
        ("dingtalk", "secret", "compare secret_file"),
        ("feishu", "key", "copy its address anew into url_file"),
        ("feishu", "secret", "compare secret_file"),
    ],
)
def test_a_robots_refusal_is_shown_with_its_remedy(kind: str, wrong: str, remedy: str, tmp_path: Path) -> None:
    with ROBOTS[kind]() as robot:
        spoilt = of(kind, robot, tmp_path)
        setattr(robot, wrong, "another")
        (problem,) = spoilt.check()
        assert remedy in problem.sentence.en
        assert problem.fatal
        with pytest.raises(Refused, match=remedy):
            spoilt.notify(notification())


def test_an_undeclared_address_or_secret_is_named(tmp_path: Path) -> None:
    assert "url_file" in target(tmp_path, "wecom").check()[0].sentence.en
    with DingTalk() as robot:
        assert "secret_file" in target(tmp_path, "dingtalk", address=robot.address).check()[0].sentence.en


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_the_twenty_first_message_of_a_minute_waits(kind: str, tmp_path: Path) -> None:
    with ROBOTS[kind]() as robot:
        one = of(kind, robot, tmp_path)
        for revision in range(20):
            one.notify(notification(revision))
        with pytest.raises(Unreachable) as later:
            one.notify(notification(21))
        assert later.value.retry_after_s >= 60
        assert all_systems()[kind].every_s >= 3, "the outbox keeps the pace, so that this does not happen"


@pytest.mark.parametrize(
    ("spoil", "remedy"),
    [
        (lambda slack: slack.members.clear(), "invite it"),
        (lambda slack: slack.scopes.clear(), "chat:write"),
        (lambda slack: setattr(slack, "archived", True), "archived"),
    ],
)
def test_slack_refuses_with_a_remedy(spoil, remedy: str, tmp_path: Path) -> None:
    with Slack() as slack:
        spoil(slack)
        with pytest.raises(Refused, match=remedy):
            of("slack", slack, tmp_path).notify(notification())


def test_slack_names_a_bad_token_and_a_channel_by_name(tmp_path: Path) -> None:
    with Slack() as slack:
        bad = target(tmp_path, "slack", bearer="xoxb-other", url=slack.api, channel=CHANNEL)
        assert "bearer_file" in bad.check()[0].sentence.en
        assert "bearer_file" in target(tmp_path / "..", "slack", url=slack.api).check()[0].sentence.en
        (named,) = of("slack", slack, tmp_path, channel="#on-call").check()
        assert not named.fatal


def test_a_message_that_somebody_deleted_is_posted_anew(tmp_path: Path) -> None:
    with Slack() as slack:
        bot = of("slack", slack, tmp_path)
        bot.notify(notification())
        slack.messages.clear()
        bot.notify(notification(2, Reason.RESOLVED))
        assert len(slack.messages) == 1


def test_a_bot_that_may_not_read_posts_all_the_same(tmp_path: Path) -> None:
    with Slack() as slack:
        slack.scopes.discard("channels:history")
        bot = of("slack", slack, tmp_path)
        slack.rule(error(500), when=lambda call: call.writes, times=1)
        with pytest.raises(Unreachable):
            bot.notify(notification())
        bot.notify(notification())
        assert len(slack.messages) == 1
