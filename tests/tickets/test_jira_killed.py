"""A process that dies between any two calls leaves one ticket, one comment and one link behind."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from domain.errors import NotYet, Unreachable
from tests.fakes import jira_contract as contract
from tests.fakes.jira import CLOUD, DATA_CENTER, FAULTS, JiraFake, refusal
from tests.fakes.process_kill import killed_at
from tests.tickets.jira_scene import FileTargetState, notification, notify, notify_through
from tests.tickets.reports import verdict
from tickets.jira.find import SETTLES_S

STEPS = ("first", "edited", "resolved", "reopened")
MOST_CALLS = 60


class Killed(BaseException):
    """As good as dead: nothing catches it."""


class Dying(httpx.BaseTransport):
    """Ends the process at call `number`: before it is sent, or when its answer is there and nobody has read it."""

    def __init__(self, number: int, moment: str) -> None:
        self.number, self.moment, self.seen, self.inner = number, moment, 0, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen += 1
        if self.seen == self.number and self.moment == "before":
            raise Killed
        answer = self.inner.handle_request(request)
        answer.read()
        if self.seen == self.number:
            raise Killed
        return answer


def notifications() -> Iterator[tuple[str, object]]:
    """One incident's way: first verdict, another verdict, resolved, reopened."""
    yield "first", notification()
    yield "edited", notification(verdict=verdict("other words"))
    yield "resolved", notification("resolved", verdict=verdict("over"))
    yield "reopened", notification("open", verdict=verdict("back"))


def until_notified(jira: JiraFake, about, target_state: FileTargetState) -> None:
    """As the outbox does: again after what is worth waiting for."""
    for _ in range(5):
        try:
            notify(jira, about, target_state)
            return
        except NotYet as error:
            jira.shop.ahead_s += error.retry_after_s + 0.01
        except Unreachable:
            continue
    pytest.fail("never notified")


def assert_single(jira: JiraFake, words: str, status: str = "To Do") -> None:
    (issue,) = jira.issues
    (comment,) = issue.comments.values()
    assert words in contract.text_of(comment.body)
    assert len(issue.links) == 1
    assert issue.status == status
    assert issue.labels.count("ig-7") == 1


WORDS = {"first": "slow disk headline", "edited": "other words headline", "resolved": "over headline", "reopened": "back headline"}  # fmt: skip
STATUS = {"first": "To Do", "edited": "To Do", "resolved": "Done", "reopened": "To Do"}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind, lag_s", [(CLOUD, 0), (CLOUD, 30), (DATA_CENTER, 0)])
def test_death_at_any_call_of_any_step_leaves_one_of_each(tmp_path, kind, lag_s, moment):
    """Every call of every step is died at, one run for each, until a step goes through without reaching the number."""
    deaths = 0
    for step in STEPS:
        for number in range(1, MOST_CALLS):
            with JiraFake(kind) as jira:
                jira.shop.lag_s = lag_s
                target_state = FileTargetState(tmp_path / f"{step}-{number}.json")
                died = False
                for name, about in notifications():
                    if name == step:
                        try:
                            notify_through(jira, about, target_state, Dying(number, moment))
                        except Killed:
                            died = True
                        until_notified(jira, about, target_state)
                        assert_single(jira, WORDS[name], STATUS[name])
                        break
                    until_notified(jira, about, target_state)
            deaths += died
            if not died:
                break
        else:
            pytest.fail("too many calls")
    assert deaths >= 15


@pytest.mark.parametrize("after_commit", [False, True])
def test_a_real_kill_at_every_call_leaves_one_of_each(tmp_path, after_commit):
    """SIGKILL of the notifying process by the server: as the call comes in, and after it was committed."""
    number, died = 0, True
    while died:
        number += 1
        with JiraFake(CLOUD) as jira:
            jira.shop.lag_s = 30
            target_state = FileTargetState(tmp_path / f"{number}.json")
            died = killed_at(
                jira, number, partial(notify, jira, notification(), target_state), after_commit=after_commit
            )
            until_notified(jira, notification(), target_state)
            assert_single(jira, WORDS["first"])
    assert number > 5


@pytest.mark.parametrize("kind", [CLOUD, DATA_CENTER])
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_an_answer_that_is_lost_is_found_and_not_made_twice(tmp_path, kind, fault):
    """For every write of the first attempt: its answer is lost after the commit, comes too late, or it never came in."""
    for number in range(4):
        with JiraFake(kind) as jira:
            target_state = FileTargetState(tmp_path / f"{fault}-{number}.json")
            method, part = [("POST", "/issue"), ("POST", "/comment"), ("POST", "/remotelink"), ("PUT", "/issue/")][
                number
            ]
            jira.fault(FAULTS[fault](), method=method, part=part)
            with pytest.raises(Unreachable):
                notify_through(
                    jira, notification(), target_state, httpx.HTTPTransport() if fault != "late" else Impatient()
                )
            until_notified(jira, notification(), target_state)
            assert_single(jira, WORDS["first"])


class Impatient(httpx.BaseTransport):
    """Waits for no answer longer than a tenth of a second."""

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"] = {"connect": 5, "read": 0.1, "write": 5, "pool": 5}
        return self.inner.handle_request(request)


def test_a_server_that_fails_each_time_once_ends_with_one_of_each(tmp_path):
    """Every call of every step is answered by 500 once, before anything was done."""
    with JiraFake() as jira:
        target_state = FileTargetState(tmp_path / "memory.json")
        for name, about in notifications():
            for call in ("search", "/issue", "/comment", "/remotelink", "/transitions"):
                jira.fault(refusal(500), part=call)
            for _ in range(8):
                try:
                    notify(jira, about, target_state)
                    break
                except NotYet:
                    jira.shop.ahead_s += SETTLES_S
                except Unreachable:
                    continue
            jira.heal()
            until_notified(jira, about, target_state)
            assert_single(jira, WORDS[name], STATUS[name])
