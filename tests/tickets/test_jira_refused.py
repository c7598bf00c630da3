"""What keeps an incident out of Jira: one sentence on it, a retry where that helps, never a second ticket."""

from datetime import UTC, datetime

import pytest

from domain.errors import NotYet, Refused, Unreachable
from tests.fakes.jira import JiraFake, cut, refusal
from tests.fakes.server import lost_answer
from tests.tickets.jira_scene import declared, notification, notify, reached, secrets
from tests.tickets.reports import verdict
from tickets.jira.find import SETTLES_S
from tickets.system import Transport
from tickets.systems.jira import SYSTEM
from tickets.transport import Attempt, Traffic, client


def test_a_ticket_that_is_gone_is_not_made_anew(jira, target_state):
    notify(jira, notification(), target_state)
    jira.shop.issues.clear()
    with pytest.raises(Refused, match="OPS-1 is gone"):
        notify(jira, notification(verdict=verdict("again")), target_state)
    assert jira.issues == []


@pytest.mark.parametrize("permission, sentence", [
    ("CREATE_ISSUES", "does not permit a new ticket"),
    ("ADD_COMMENTS", "does not permit a comment"),
    ("LINK_ISSUES", "does not permit a link"),
    ("EDIT_ISSUES", "does not permit an edit"),
    ("BROWSE_PROJECTS", "project: valid project is required"),
])  # fmt: skip
def test_a_missing_permission_is_one_sentence(jira, target_state, permission, sentence):
    jira.allowed.discard(permission)
    with pytest.raises(Refused, match=sentence):
        notify(jira, notification(), target_state)


def test_a_refused_ticket_is_asked_for_again_at_once_when_the_permission_is_there(jira, target_state):
    jira.allowed.discard("CREATE_ISSUES")
    with pytest.raises(Refused):
        notify(jira, notification(), target_state)
    jira.allowed.add("CREATE_ISSUES")
    assert notify(jira, notification(), target_state).key == "OPS-1"


def test_a_fixed_field_that_jira_does_not_take_is_named(jira, target_state):
    with pytest.raises(Refused, match="customfield_99: Field 'customfield_99' cannot be set"):
        notify(jira, notification(), target_state, declared(jira, set={"customfield_99": "x"}))


@pytest.mark.parametrize("status, kind", [(500, Unreachable), (503, Unreachable), (408, Unreachable), (409, Unreachable), (401, Refused), (403, Refused), (413, Refused), (302, Refused)])  # fmt: skip
def test_what_may_work_later_is_tried_again_and_what_may_not_is_shown(jira, target_state, status, kind):
    jira.fault(refusal(status), method="POST", part="comment")
    with pytest.raises(kind):
        notify(jira, notification(), target_state)


def test_too_many_requests_wait_as_long_as_jira_asks(jira, target_state):
    jira.fault(refusal(429, Retry_After="17"), method="POST", part="issue")
    with pytest.raises(Unreachable, match="jira-burst-based") as caught:
        notify(jira, notification(), target_state)
    assert caught.value.retry_after_s == 17
    assert notify(jira, notification(), target_state).key == "OPS-1", (
        "nothing was made, so nothing has to be waited for"
    )


def test_an_html_page_in_the_way_is_one_short_sentence(jira, target_state):
    jira.fault(refusal(403, "<html>" + "no " * 50_000), part="search")
    with pytest.raises(Refused) as caught:
        notify(jira, notification(), target_state)
    assert len(str(caught.value)) < 200


def test_a_captcha_is_shown_as_the_reason(jira, target_state):
    jira.fault(refusal(403, X_Seraph_LoginReason="AUTHENTICATION_DENIED"), part="search")
    with pytest.raises(Refused, match="CAPTCHA"):
        notify(jira, notification(), target_state)


def test_a_wrong_login_is_shown_as_the_reason(cloud, target_state):
    cloud.secret = "another"
    with (
        reached(cloud, None, None, basic_password="wrong") as transport,
        pytest.raises(Refused, match="refuses the login"),
    ):
        SYSTEM.notify(transport, notification(), target_state)


def test_what_is_no_jira_is_shown_as_the_reason(cloud, target_state):
    cloud.fault(refusal(404), part="serverInfo")
    with pytest.raises(Refused, match="is not a Jira"):
        notify(cloud, notification(), target_state)


def test_a_search_that_lags_does_not_make_a_second_ticket(cloud, target_state):
    cloud.shop.lag_s = 30
    cloud.fault(lost_answer(), method="POST", part="/issue")
    with pytest.raises(Unreachable):
        notify(cloud, notification(), target_state)
    with pytest.raises(NotYet) as caught:
        notify(cloud, notification(), target_state)
    assert 0 < caught.value.retry_after_s <= SETTLES_S
    cloud.shop.ahead_s += 31
    assert notify(cloud, notification(), target_state).key == "OPS-1"
    assert len(cloud.issues) == 1


def test_a_ticket_that_was_certainly_not_made_is_made_after_the_wait(cloud, target_state):
    cloud.fault(cut(), method="POST", part="/issue")
    with pytest.raises(Unreachable):
        notify(cloud, notification(), target_state)
    cloud.shop.ahead_s += SETTLES_S + 1
    assert notify(cloud, notification(), target_state).key == "OPS-1"


def test_a_server_that_cannot_be_reached_is_unreachable(target_state):
    with JiraFake() as jira:
        about = declared(jira)
    known = secrets(jira)
    with client(SYSTEM, about, lambda name: known.get(name, ""), Attempt(Traffic())) as http:
        transport = Transport(about, http, lambda name: known.get(name, ""), datetime.now(UTC))
        with pytest.raises(Unreachable):
            SYSTEM.notify(transport, notification(), target_state)
