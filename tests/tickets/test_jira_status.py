"""A ticket's status follows its incident, and gives way to what people did with it."""

from datetime import UTC, datetime

from domain.alerts import AlertState, Severity
from domain.snapshot import AlertRecord
from tests.tickets.jira_scene import declared, notification, notify
from tests.tickets.reports import verdict


def test_the_ticket_follows_ten_alternating_states(jira, target_state):
    notify(jira, notification(), target_state)
    for number in range(10):
        state = "resolved" if number % 2 == 0 else "open"
        notify(jira, notification(state), target_state)
        (issue,) = jira.issues
        assert issue.status == ("Done" if state == "resolved" else "To Do")
        (link,) = issue.links.values()
        assert link["object"]["status"]["resolved"] is (state == "resolved")
        assert len(issue.comments) == 1


def test_a_ticket_is_reopened_within_the_window_only(jira, target_state):
    notify(jira, notification(), target_state)
    notify(jira, notification("resolved"), target_state)
    jira.shop.ahead_s = 73 * 3600
    notify(jira, notification("open"), target_state)
    assert jira.issues[0].status == "Done"


def test_a_ticket_that_a_person_closed_is_not_fought_over(jira, target_state):
    notify(jira, notification(), target_state)
    jira.person_moves("OPS-1", "Done")
    notify(jira, notification(verdict=verdict("later")), target_state)
    assert jira.issues[0].status == "Done"


def over(*states: AlertState) -> tuple[AlertRecord, ...]:
    now = datetime.now(UTC)
    return tuple(AlertRecord(f"{n}", "prod", "a", "a", Severity.HIGH, s, now, now, ()) for n, s in enumerate(states))


def test_an_incident_is_mitigated_when_all_its_alerts_are_over(jira, target_state):
    decl = declared(jira, transitions={"mitigated": "Start", "resolved": "Resolve"})
    notify(jira, notification(alerts=over(AlertState.FIRING, AlertState.RESOLVED)), target_state, decl)
    assert jira.issues[0].status == "To Do"
    notify(jira, notification(alerts=over(AlertState.RESOLVED, AlertState.RESOLVED)), target_state, decl)
    assert jira.issues[0].status == "In Progress"


def test_a_ticket_that_a_person_reopened_stays_where_it_was_put(jira, target_state):
    decl = declared(jira, transitions={"mitigated": "Start", "resolved": "Resolve", "reopened": "Reopen"})
    notify(jira, notification(), target_state, decl)
    notify(jira, notification("resolved"), target_state, decl)
    jira.person_moves("OPS-1", "To Do")
    notify(jira, notification(alerts=over(AlertState.RESOLVED)), target_state, decl)
    assert jira.issues[0].status == "To Do"


def test_an_acknowledgement_moves_the_ticket_once(jira, target_state):
    names = {**{"resolved": "Resolve"}, "acknowledged": "in progress"}
    notify(jira, notification(), target_state, declared(jira, transitions=names))
    notify(jira, notification(acknowledged_by="ada"), target_state, declared(jira, transitions=names))
    assert jira.issues[0].status == "In Progress"


def test_a_missing_transition_is_mentioned_and_is_no_failure(jira, target_state):
    decl = declared(jira, transitions={"resolved": "Ship it"})
    notify(jira, notification(), target_state, decl)
    receipt = notify(jira, notification("resolved"), target_state, decl)
    assert "no transition Ship it from the status To Do" in receipt.sentence.en
    assert jira.issues[0].status == "To Do"
