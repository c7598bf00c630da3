"""A ticket's status follows its incident, and gives way to what people did with it."""

from datetime import UTC, datetime

from domain.alerts import AlertState, Severity
from domain.snapshot import AlertRecord
from tests.tickets.jira_scene import declared, notice, tell
from tests.tickets.reports import verdict


def test_the_ticket_follows_ten_alternating_states(jira, memory):
    tell(jira, notice(), memory)
    for number in range(10):
        state = "resolved" if number % 2 == 0 else "open"
        tell(jira, notice(state), memory)
        (issue,) = jira.issues
        assert issue.status == ("Done" if state == "resolved" else "To Do")
        (link,) = issue.links.values()
        assert link["object"]["status"]["resolved"] is (state == "resolved")
        assert len(issue.comments) == 1


def test_a_ticket_is_reopened_within_the_window_only(jira, memory):
    tell(jira, notice(), memory)
    tell(jira, notice("resolved"), memory)
    jira.shop.ahead_s = 73 * 3600
    tell(jira, notice("open"), memory)
    assert jira.issues[0].status == "Done"


def test_a_ticket_that_a_person_closed_is_not_fought_over(jira, memory):
    tell(jira, notice(), memory)
    jira.person_moves("OPS-1", "Done")
    tell(jira, notice(verdict=verdict("later")), memory)
    assert jira.issues[0].status == "Done"


def over(*states: AlertState) -> tuple[AlertRecord, ...]:
    now = datetime.now(UTC)
    return tuple(AlertRecord(f"{n}", "prod", "a", "a", Severity.HIGH, s, now, now, ()) for n, s in enumerate(states))


def test_an_incident_is_mitigated_when_all_its_alerts_are_over(jira, memory):
    decl = declared(jira, transitions={"mitigated": "Start", "resolved": "Resolve"})
    tell(jira, notice(alerts=over(AlertState.FIRING, AlertState.RESOLVED)), memory, decl)
    assert jira.issues[0].status == "To Do"
    tell(jira, notice(alerts=over(AlertState.RESOLVED, AlertState.RESOLVED)), memory, decl)
    assert jira.issues[0].status == "In Progress"


def test_a_ticket_that_a_person_reopened_stays_where_it_was_put(jira, memory):
    decl = declared(jira, transitions={"mitigated": "Start", "resolved": "Resolve", "reopened": "Reopen"})
    tell(jira, notice(), memory, decl)
    tell(jira, notice("resolved"), memory, decl)
    jira.person_moves("OPS-1", "To Do")
    tell(jira, notice(alerts=over(AlertState.RESOLVED)), memory, decl)
    assert jira.issues[0].status == "To Do"


def test_an_acknowledgement_moves_the_ticket_once(jira, memory):
    names = {**{"resolved": "Resolve"}, "acknowledged": "in progress"}
    tell(jira, notice(), memory, declared(jira, transitions=names))
    tell(jira, notice(acknowledged_by="ada"), memory, declared(jira, transitions=names))
    assert jira.issues[0].status == "In Progress"


def test_a_missing_transition_is_told_and_is_no_failure(jira, memory):
    decl = declared(jira, transitions={"resolved": "Ship it"})
    tell(jira, notice(), memory, decl)
    receipt = tell(jira, notice("resolved"), memory, decl)
    assert "no transition Ship it from the status To Do" in receipt.sentence.en
    assert jira.issues[0].status == "To Do"
