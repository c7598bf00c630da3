"""What people did in Jira comes back once, as they meant it, and never what we did ourselves."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import Malformed
from tests.fakes.jira import CLOUD, DATA_CENTER, Event, JiraFake, refusal
from tests.tickets.jira_scene import FileTargetState, declared, notification, notify, reached
from tests.tickets.reports import verdict
from tickets.jira import check, users
from tickets.systems.jira import SYSTEM
from tickets.webhook_auth import is_genuine


@pytest.fixture(params=[CLOUD, DATA_CENTER])
def jira(request, tmp_path):
    users._own.clear()
    with JiraFake(request.param) as served:
        notify(served, notification(), FileTargetState(tmp_path / "memory.json"))
        yield served


def parse_webhook(jira: JiraFake, event: Event, **headers: str):
    with reached(jira) as transport:
        return SYSTEM.parse_webhook(transport, {**event.headers, **headers}, event.body)


def poll_events(jira: JiraFake, since: datetime, keys=("OPS-1",)):
    with reached(jira) as transport:
        return SYSTEM.poll_events(transport, keys, since)


def briefly(events):
    return [(one.verb, one.by, one.value) for one in events]


def moves(jira: JiraFake) -> list[Event]:
    return [
        jira.person_moves("OPS-1", "In Progress"),
        jira.person_moves("OPS-1", "Done"),
        jira.person_moves("OPS-1", "To Do"),
    ]


def test_a_change_of_status_becomes_a_ticket_event(jira):
    assert [briefly(parse_webhook(jira, event)) for event in moves(jira)] == [
        [("acknowledged", "Ada", "")], [("resolved", "Ada", "")], [("reopened", "Ada", "")],
    ]  # fmt: skip


def test_a_resolution_is_the_note(jira):
    (ticket_event,) = parse_webhook(jira, jira.person_moves("OPS-1", "Done"))
    assert (ticket_event.key, ticket_event.note) == ("OPS-1", "Done")
    assert abs(ticket_event.at - datetime.now(UTC)) < timedelta(seconds=5)


def test_an_assignee_comes_back(jira):
    assert briefly(parse_webhook(jira, jira.person_assigns("OPS-1", "bob"))) == [("assigned", "Ada", "Bob")]


def test_a_cause_comes_back_from_a_line_of_its_own(jira):
    event = jira.person_comments("OPS-1", "I looked.\n/cause etcd-slow-disk  new disk is in\nmore")
    (ticket_event,) = parse_webhook(jira, event)
    assert (ticket_event.verb, ticket_event.value, ticket_event.note) == ("cause", "etcd-slow-disk", "new disk is in")


@pytest.mark.parametrize(
    "text", ["see /cause etcd", "/cause", "/causes x", "/cause ../../etc", "/cause X_Y", "nothing"]
)
def test_what_is_no_verb_is_no_feedback(jira, text):
    assert parse_webhook(jira, jira.person_comments("OPS-1", text)) == []


def test_our_own_changes_are_no_ticket_events(jira, tmp_path):
    """Everything that one incident's way makes Jira send is our own."""
    target_state = FileTargetState(tmp_path / "memory.json")
    notify(jira, notification(verdict=verdict("/cause etcd-slow-disk")), target_state)
    notify(jira, notification("resolved"), target_state)
    notify(jira, notification("open"), target_state)
    kinds = {event.payload["webhookEvent"] for event in jira.events}
    assert kinds == {"jira:issue_created", "jira:issue_updated", "comment_created", "comment_updated"}
    assert [ticket_event for event in jira.events for ticket_event in parse_webhook(jira, event)] == []
    assert list(poll_events(jira, datetime.now(UTC) - timedelta(hours=1))) == []


def test_a_repeated_event_has_the_same_marker_and_polling_gives_the_same_again(jira):
    since = datetime.now(UTC) - timedelta(minutes=1)
    moved = jira.person_moves("OPS-1", "Done")
    spoke = jira.person_comments("OPS-1", "/cause dns-failure")
    first = [*parse_webhook(jira, moved), *parse_webhook(jira, spoke)]
    again = [*parse_webhook(jira, moved, **{"X-Atlassian-Webhook-Retry": "1"}), *parse_webhook(jira, spoke)]
    assert [s.marker for s in first] == [s.marker for s in again]
    assert {s.marker for s in poll_events(jira, since)} == {s.marker for s in first}
    assert len({s.marker for s in first}) == 2


def test_an_event_without_a_number_is_marked_by_its_identifier(jira):
    event = jira.person_moves("OPS-1", "Done")
    body = event.payload
    del body["changelog"]["id"]
    with reached(jira) as transport:
        (ticket_event,) = SYSTEM.parse_webhook(transport, event.headers, json.dumps(body).encode())
    assert event.headers["X-Atlassian-Webhook-Identifier"] in ticket_event.marker


def let_in(event: Event, body: bytes, **headers: str) -> bool:
    """Whether the door takes it, where Jira and we know the same secret."""
    secret = {"webhook_secret": "s3cret"}
    return is_genuine(lambda name: secret.get(name, ""), {**event.headers, **headers}, body, "")


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "é"])
def test_a_wrong_signature_is_refused(jira, signature):
    event = jira.person_moves("OPS-1", "Done")
    assert not let_in(event, event.body, **{"X-Hub-Signature": signature})


def test_what_jira_signed_is_let_in_and_a_changed_body_is_not():
    with JiraFake() as jira:
        jira.webhook_secret = "s3cret"
        jira.shop.create({"project": {"key": "OPS"}, "summary": "etcd is slow"})
        event = jira.person_moves("OPS-1", "Done")
    assert let_in(event, event.body)
    assert not let_in(event, event.body.replace(b"Ada", b"Eve"))


def test_header_names_are_read_in_any_case(jira):
    event = jira.person_moves("OPS-1", "Done")
    lower = Event({name.lower(): value for name, value in event.headers.items()}, event.body)
    assert briefly(parse_webhook(jira, lower)) == [("resolved", "Ada", "")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"3"])
def test_what_is_no_event_is_malformed(jira, body):
    with reached(jira) as transport, pytest.raises(Malformed):
        SYSTEM.parse_webhook(transport, {}, body)


@pytest.mark.parametrize("body", [
    {}, {"issue": 3}, {"issue": {"key": 7}}, {"issue": {"key": "OPS-1", "fields": []}, "changelog": {"items": {}}},
    {"webhookEvent": "comment_created", "issue": {"key": "OPS-1"}, "comment": {"body": [1], "author": []}},
    {"issue": {"key": "OPS-1", "fields": {"status": None}}, "changelog": {"items": [{"field": "status"}, 3]}, "timestamp": "x"},
])  # fmt: skip
def test_odd_events_are_no_ticket_events(jira, body):
    with reached(jira) as transport:
        assert list(SYSTEM.parse_webhook(transport, {}, json.dumps(body).encode())) == []


def test_a_document_as_comment_body_is_read_too(jira):
    event = jira.person_comments("OPS-1", "x")
    body = event.payload
    line = {"type": "paragraph", "content": [{"type": "text", "text": "/cause dns-failure"}]}
    body["comment"]["body"] = {"type": "doc", "version": 1, "content": [line]}
    with reached(jira) as transport:
        (ticket_event,) = SYSTEM.parse_webhook(transport, {}, json.dumps(body).encode())
    assert ticket_event.value == "dns-failure"


def test_polling_returns_the_events_since_then_and_no_more(jira):
    jira.person_moves("OPS-1", "In Progress")
    jira.shop.ahead_s += 600
    since = datetime.fromtimestamp(jira.shop.now(), UTC)
    jira.person_moves("OPS-1", "Done")
    jira.person_assigns("OPS-1", "bob")
    jira.person_comments("OPS-1", "/cause dns-failure")
    found = poll_events(jira, since - timedelta(seconds=1))
    assert sorted(briefly(found)) == [
        ("assigned", "Ada", "Bob"),
        ("cause", "Ada", "dns-failure"),
        ("resolved", "Ada", ""),
    ]
    assert list(poll_events(jira, since + timedelta(hours=1))) == []


def test_of_many_tickets_only_those_that_changed_are_asked(jira):
    for number in range(2, 131):
        fields = {"project": {"key": "OPS"}, "summary": f"{number}", "labels": ["incident-graph"]}
        jira.shop.create(fields)
    jira.shop.ahead_s += 3600
    since = datetime.fromtimestamp(jira.shop.now(), UTC)
    keys = [issue.key for issue in jira.issues]
    for key in keys[:120]:
        jira.person_assigns(key, "bob")
    jira.calls.clear()
    assert len(poll_events(jira, since - timedelta(seconds=1), keys)) == 120
    assert sum("/search" in call.path for call in jira.calls) == 2
    assert not any(call.path.endswith("/OPS-129") for call in jira.calls)


def test_polling_passes_over_tickets_that_are_gone(jira):
    assert list(poll_events(jira, datetime.now(UTC), keys=("OPS-99", "OPS-1"))) == []


def test_who_we_are_is_asked_once(jira):
    users._own.clear()
    jira.calls.clear()
    for event in moves(jira):
        parse_webhook(jira, event)
    assert sum("myself" in call.path for call in jira.calls) == 1


def sentences(jira: JiraFake, **more):
    with reached(jira, declared(jira, **more)) as transport:
        return [problem.sentence.en for problem in SYSTEM.check(transport)]


def test_a_good_connection_has_no_problem(jira):
    fields = {"cause": "customfield_10050", "probability": "customfield_10051"}
    assert sentences(jira, fields=fields) == []


@pytest.mark.parametrize("permission", sorted(check.NEEDED))
def test_each_missing_permission_is_one_sentence(jira, permission):
    jira.allowed.discard(permission)
    (sentence,) = sentences(jira)
    assert permission in sentence or "may not see it" in sentence


@pytest.mark.parametrize("more, words", [
    ({"project": "HR"}, "there is no project HR"),
    ({"project": ""}, "project is not declared"),
    ({"issue_type": "Incident"}, "no issue type Incident; use one of Task, Bug"),
    ({"fields": {"cause": "customfield_1"}}, "there is no field customfield_1 for the cause"),
    ({"fields": {"cause": "customfield_10051"}}, "is of the kind number"),
    ({"transitions": {"closed": "Close"}}, "transitions knows no phase closed"),
    ({"deployment": "server"}, "deployment is auto, cloud or datacenter"),
])  # fmt: skip
def test_each_wrong_declaration_is_one_sentence(jira, more, words):
    (sentence,) = sentences(jira, **more)
    assert words in sentence


def test_update_only_needs_no_right_to_create(jira):
    jira.allowed.discard("CREATE_ISSUES")
    assert sentences(jira, mode="update-only", issue_type="Incident") == []


@pytest.mark.parametrize("status, words", [
    (401, "refuses the login"), (503, "answered 503"), (302, "redirect"),
])  # fmt: skip
def test_a_server_that_does_not_answer_well_is_the_only_problem(jira, status, words):
    jira.fault(refusal(status))
    (sentence,) = sentences(jira)
    assert words in sentence
