"""Comments in Zabbix: one for each reason, on every problem, also when an answer is lost."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts import AlertState, Severity
from domain.connections import SourceDecl
from domain.errors import Refused, Unreachable
from domain.marks import OWN_COMMENT
from domain.snapshot import AlertRecord
from domain.text import Text
from tests.fakes.server import error, lost_answer
from tests.fakes.zabbix import TOKEN, Zabbix
from tests.tickets.targets import Kept, notification
from tickets.system import Notification, Reason, Receipt, Transport
from tickets.systems.zabbix import LIMIT, SYSTEM, comment
from tickets.transport import Attempt, Traffic, client, secrets_of

PROBLEM = AlertRecord("1", "zabbix/prod", "etcd", "etcd", Severity.HIGH, AlertState.FIRING,
                      datetime(2026, 11, 20, 8, 0, tzinfo=UTC), None, ())  # fmt: skip
VERSIONS = ["6.0.14", "7.0.5", "7.4.1"]


@dataclass
class Target:
    declared: SourceDecl
    target_state: Kept = field(default_factory=Kept)
    traffic: Traffic = field(default_factory=Traffic)

    def transport(self) -> Transport:
        secret = secrets_of(self.declared, lambda name: "")
        dry = self.declared.mode == "dry-run"
        way = client(SYSTEM, self.declared, secret, Attempt(self.traffic, dry_run=dry))
        return Transport(self.declared, way, secret, datetime.now(UTC), dry, self.traffic.show)

    def notify(self, notification: Notification) -> Receipt:
        return SYSTEM.notify(self.transport(), notification, self.target_state)


def target(zabbix: Zabbix, folder: Path, **more: object) -> Target:
    (folder / "token").write_text(TOKEN)
    plain = {"mode": "send", "api_token_file": str(folder / "token"), "write_back": True, "timeout_s": 2.0}
    return Target(SourceDecl(kind="zabbix", name="prod", api_url=f"{zabbix.url}/zabbix", **{**plain, **more}))  # type: ignore[arg-type]


def about(*events: str, revision: int = 1, reason: Reason = Reason.VERDICT, headline: str = "") -> Notification:
    built = notification(revision, reason)
    alerts = tuple(replace(PROBLEM, id=e, identity=e) for e in events)
    built = replace(built, snapshot=replace(built.snapshot, alerts=alerts))
    if headline:
        built = replace(
            built,
            report=replace(built.report, headline=Text.rendered(headline, built.report.headline.in_language("zh"))),
        )
    return built


@pytest.mark.parametrize("version", VERSIONS)
def test_every_problem_of_the_incident_gets_one_comment_whatever_is_sent_again(version: str, tmp_path: Path) -> None:
    with Zabbix(version) as zabbix:
        events = zabbix.event(37), zabbix.event(40)
        own = target(zabbix, tmp_path)
        own.notify(about(*events))
        own.notify(about(*events))
        Target(own.declared).notify(about(*events))  # a worker that remembers nothing finds the comment
        for event in events:
            (text,) = zabbix.comments(event)
            assert notification(1).report.url in text and OWN_COMMENT.search(text)
            assert notification(1).report.headline.en[:40] in text


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_that_is_lost_after_the_commit_makes_no_second_comment(version: str, tmp_path: Path) -> None:
    with Zabbix(version) as zabbix:
        zabbix.event(37)
        own = target(zabbix, tmp_path)
        zabbix.rule(lost_answer(), lambda call: call.json["method"] == "event.acknowledge", times=1)
        with pytest.raises(Unreachable):
            own.notify(about("37"))
        own.notify(about("37"))
        assert len(zabbix.comments(37)) == 1


def test_another_reason_is_another_comment_and_the_same_reason_is_not(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        zabbix.event(37)
        own = target(zabbix, tmp_path)
        own.notify(about("37", headline="the disk is slow"))
        own.notify(about("37", headline="the disk is slow", revision=2))
        own.notify(about("37", headline="the network jitters", revision=3, reason=Reason.CAUSE_CHANGED))
        own.notify(about("37", headline="the network jitters", revision=4, reason=Reason.RESOLVED))
        first, second, third = zabbix.comments(37)
        assert first.startswith("the disk") and second.startswith("Other first cause") and third.startswith("Resolved")


def test_a_problem_that_joins_later_gets_its_comment_and_the_others_no_second_one(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        zabbix.event(37), zabbix.event(40)
        own = target(zabbix, tmp_path)
        own.notify(about("37", headline="the disk is slow"))
        own.notify(about("37", revision=2, headline="the disk is slow, 97%", reason=Reason.UPDATED))
        own.notify(about("37", "40", revision=3, headline="the disk is slow, 98%", reason=Reason.UPDATED))
        assert [text.partition(" http")[0] for text in zabbix.comments(37)] == ["the disk is slow"]
        assert [text.partition(" http")[0] for text in zabbix.comments(40)] == ["the disk is slow, 98%"]
        before = len(zabbix.calls)
        own.notify(about("37", "40", revision=4, headline="the disk is slow, 99%", reason=Reason.UPDATED))
        assert len(zabbix.calls) == before, "nothing is asked where nothing is new"


def test_one_hidden_event_does_not_keep_the_others_from_their_comment(tmp_path: Path) -> None:
    with Zabbix("7.0.5") as zabbix:
        zabbix.event(37), zabbix.event(40)
        zabbix.hidden.add("37")
        target(zabbix, tmp_path).notify(about("37", "40"))
        assert len(zabbix.comments(40)) == 1 and not zabbix.comments(37)


def test_the_severity_is_raised_by_policy_and_never_lowered(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        zabbix.event(37)
        first = notification(1).snapshot.verdict
        assert first is not None
        own = target(zabbix, tmp_path, raise_severity={first.causes[0].cause: "high"})
        own.notify(about("37"))
        assert zabbix.events["37"]["severity"] == "4"
        zabbix.events["37"]["severity"] = "5"
        own.notify(about("37", revision=2, headline="again", reason=Reason.CAUSE_CHANGED))
        assert zabbix.events["37"]["severity"] == "5"
        assert all(not int(c["action"]) & 1 for c in zabbix.events["37"]["acknowledges"]), "nothing is ever closed"


def test_a_dry_run_reads_and_shows_and_writes_nothing(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        zabbix.event(37)
        own = target(zabbix, tmp_path, mode="dry-run")
        own.notify(about("37"))
        assert not zabbix.comments(37)
        (held,) = own.traffic.held_back
        assert "event.acknowledge" in held["body"] and TOKEN not in str(held)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_token_that_is_not_taken_is_shown_with_the_remedy(version: str, tmp_path: Path) -> None:
    with Zabbix(version) as zabbix:
        zabbix.event(37)
        own = target(zabbix, tmp_path)
        Path(own.declared.api_token_file).write_text("b" * 64)
        with pytest.raises(Refused, match="api_token_file"):
            own.notify(about("37"))
        assert "api_token_file" in SYSTEM.check(own.transport())[0].sentence.en
        Path(own.declared.api_token_file).write_text(TOKEN)
        assert not SYSTEM.check(own.transport())


def test_a_frontend_that_fails_is_tried_again_later(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        zabbix.rule(error(503, Retry_After="7"))
        with pytest.raises(Unreachable) as raised:
            target(zabbix, tmp_path).notify(about("37"))
        assert raised.value.retry_after_s == 7


def test_an_incident_without_a_problem_of_this_zabbix_is_none_of_its_business(tmp_path: Path) -> None:
    with Zabbix() as zabbix:
        target(zabbix, tmp_path).notify(notification(1))
        assert not zabbix.calls


def test_the_newest_firing_problems_are_commented_on_when_there_are_very_many(tmp_path: Path) -> None:
    built = about(*(str(n) for n in range(1, 60)))
    start = built.snapshot.alerts[0].started_at
    alerts = tuple(replace(a, started_at=start + timedelta(seconds=int(a.identity)), state=AlertState.FIRING)
                   for a in built.snapshot.alerts)  # fmt: skip
    built = replace(built, snapshot=replace(built.snapshot, alerts=alerts))
    with Zabbix() as zabbix:
        for n in range(1, 60):
            zabbix.event(n)
        target(zabbix, tmp_path).notify(built)
        assert [n for n in range(1, 60) if zabbix.comments(n)] == list(range(40, 60))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000))
def test_a_comment_is_one_bounded_line_whatever_the_alerts_text_is(text: str) -> None:
    line = comment(about("37", headline=text or "x"))
    assert len(line) <= LIMIT and "\n" not in line and line.isprintable()
    assert OWN_COMMENT.search(line)
