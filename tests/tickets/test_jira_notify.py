"""One incident, one ticket: found or made, and edited in place."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.errors import NotYet, Refused
from tests.fakes import jira_contract as contract
from tests.fakes.jira import JiraFake
from tests.tickets.jira_scene import FileTargetState, declared, notification, notify, reached
from tests.tickets.reports import verdict
from tickets.systems import all_systems
from tickets.systems.jira import SYSTEM
from tickets.transport import Traffic

ALERT = "ALERT{" + "ab" * 32 + "}"


def issue_of(jira: JiraFake, **fields):
    everything = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "by somebody", "labels": []}
    return jira.shop.create({**everything, **fields})


def test_jira_is_a_ticket_system():
    assert all_systems()["jira"].section == "ticket"


def test_an_incident_gets_one_ticket_with_one_comment_and_one_link(jira, target_state):
    receipt = notify(jira, notification(), target_state)
    (issue,) = jira.issues
    assert (receipt.key, receipt.url) == ("OPS-1", f"{jira.url}/browse/OPS-1")
    assert issue.fields["summary"] == "#7 etcd has no leader"
    (comment,) = issue.comments.values()
    assert "slow disk headline" in contract.text_of(comment.body)
    assert comment.properties["incident-graph.i1"]["incident"] == "i1"
    (link,) = issue.links.values()
    assert link["object"]["url"] == "https://graph.example/incidents/i1/"
    assert link["relationship"] == "root cause analysis"
    assert set(issue.labels) == {"incident-graph", "ig-7", "ig-cause-c1"}


def test_notifying_again_changes_nothing(jira, target_state):
    about = notification()
    notify(jira, about, target_state)
    jira.calls.clear()
    receipt = notify(jira, about, target_state)
    assert jira.writes == []
    assert receipt.sentence.en == "OPS-1: all stands there already"


def test_a_new_revision_edits_the_comment_in_place(jira, target_state):
    notify(jira, notification(), target_state)
    notify(jira, notification(verdict=verdict("other words")), target_state)
    (issue,) = jira.issues
    (comment,) = issue.comments.values()
    assert "other words headline" in contract.text_of(comment.body)


def test_a_chinese_notification_is_written_in_chinese(jira, target_state):
    receipt = notify(jira, notification(language="zh"), target_state)
    assert "中文 slow disk headline" in contract.text_of(next(iter(jira.issues[0].comments.values())).body)
    assert "已创建工单" in receipt.sentence.in_language("zh")


def test_a_comment_that_a_person_deleted_stays_deleted(jira, target_state):
    notify(jira, notification(), target_state)
    (issue,) = jira.issues
    jira.person_deletes_comment("OPS-1", next(iter(issue.comments)))
    receipt = notify(jira, notification(verdict=verdict("new words")), target_state)
    assert issue.comments == {}
    assert "a person removed the comment" in receipt.sentence.en
    notify(jira, notification(verdict=verdict("newer words")), target_state)
    assert issue.comments == {}


def test_the_ticket_of_alertmanagers_receiver_is_used(jira, target_state):
    issue_of(jira, labels=[ALERT])
    receipt = notify(jira, notification(labels=(ALERT,)), target_state)
    (issue,) = jira.issues
    assert receipt.key == issue.key
    assert set(issue.labels) == {ALERT, "incident-graph", "ig-7", "ig-cause-c1"}
    assert (issue.fields["summary"], len(issue.comments)) == ("by somebody", 1)


def test_the_ticket_that_zabbix_names_is_used(jira, target_state):
    issue_of(jira)
    assert notify(jira, notification(labels=("OPS-1",)), target_state).key == "OPS-1"
    assert len(jira.issues) == 1


def test_a_key_of_another_project_is_left_alone(jira, target_state):
    jira.shop.create({"project": {"key": "HR"}, "summary": "not for machines"})
    receipt = notify(jira, notification(labels=("HR-1", 'x" OR project = HR', "security")), target_state)
    assert receipt.key == "OPS-1"
    assert jira.shop.issues["HR-1"].comments == {}


def test_a_person_ties_a_ticket_by_its_label(jira, target_state):
    issue_of(jira, labels=["ig-7"])
    assert notify(jira, notification(), target_state).key == "OPS-1"
    assert len(jira.issues) == 1


def test_another_installations_ticket_of_the_same_number_is_not_ours(jira, target_state, tmp_path):
    notify(jira, notification(), target_state)
    receipt = notify(jira, notification(id="i2"), FileTargetState(tmp_path / "other.json"))
    assert (receipt.key, len(jira.issues)) == ("OPS-2", 2)


def test_our_own_ticket_is_found_when_the_target_state_is_lost(jira, target_state, tmp_path):
    notify(jira, notification(), target_state)
    jira.calls.clear()
    receipt = notify(jira, notification(verdict=verdict("again")), FileTargetState(tmp_path / "empty.json"))
    (issue,) = jira.issues
    assert (receipt.key, len(issue.comments), len(issue.links)) == ("OPS-1", 1, 1)


def test_comments_are_found_by_their_author_where_the_list_has_no_properties(jira, target_state, tmp_path):
    notify(jira, notification(), target_state)
    jira.person_comments("OPS-1", "so what", "ada")
    jira.hides_properties = True
    notify(jira, notification(verdict=verdict("again")), FileTargetState(tmp_path / "empty.json"))
    assert len(jira.issues[0].comments) == 2


def test_a_closed_ticket_of_an_earlier_time_is_not_this_incidents(jira, target_state):
    issue_of(jira, labels=[ALERT])
    jira.shop.ahead_s = -7200
    jira.person_moves("OPS-1", "Done")
    jira.shop.ahead_s = 0
    assert notify(jira, notification(labels=(ALERT,)), target_state).key == "OPS-2"


def test_a_ticket_that_was_closed_during_the_incident_is_its_own(jira, target_state):
    issue_of(jira, labels=[ALERT])
    jira.person_moves("OPS-1", "Done")
    assert notify(jira, notification(labels=(ALERT,)), target_state).key == "OPS-1"
    assert jira.issues[0].status == "Done", "it is not reopened only because it was found"


def test_update_only_makes_no_ticket(jira, target_state):
    receipt = notify(jira, notification(labels=(ALERT,)), target_state, declared(jira, mode="update-only"))
    assert (receipt.key, jira.writes) == ("", [])
    assert "none is made" in receipt.sentence.en


def test_update_only_waits_for_a_ticket_that_alertmanager_is_just_making(cloud, target_state):
    young = notification(labels=(ALERT,), started_at=datetime.now(UTC))
    young = replace(young, snapshot=replace(young.snapshot, started_at=datetime.now(UTC)))
    with pytest.raises(NotYet):
        notify(cloud, young, target_state, declared(cloud, mode="update-only"))


def test_an_incident_that_is_over_opens_no_ticket(jira, target_state):
    assert notify(jira, notification("resolved"), target_state).key == ""
    assert jira.issues == []


def test_a_dry_run_shows_every_change_and_makes_none(jira, target_state):
    traffic = Traffic()
    with reached(jira, declared(jira, mode="dry-run"), traffic) as transport:
        SYSTEM.notify(transport, notification(), target_state)
    assert (jira.issues, jira.writes) == ([], [])
    shown = [(call["method"], call["url"].removeprefix(jira.url).split("/", 4)[-1]) for call in traffic.held_back]
    assert [method for method, _ in shown] == ["POST", "POST", "POST", "PUT"]
    assert shown[0][1] == "issue"
    assert "slow disk headline" in traffic.held_back[1]["body"]


def test_labels_of_people_stay_and_an_old_cause_gives_way(jira, target_state):
    notify(jira, notification(), target_state)
    jira.issues[0].fields["labels"].append("by-ada")
    other = verdict()
    other = replace(other, causes=(replace(other.causes[1], position=1), *other.causes[2:]))
    notify(jira, notification(verdict=other), target_state)
    assert set(jira.issues[0].labels) == {"incident-graph", "ig-7", "by-ada", "ig-cause-c2"}


def test_declared_fields_hold_cause_and_probability(jira, target_state):
    fields = {"cause": "customfield_10050", "probability": "customfield_10051"}
    notify(jira, notification(), target_state, declared(jira, fields=fields))
    issue = jira.issues[0]
    assert (issue.fields["customfield_10050"], issue.fields["customfield_10051"]) == ("slow disk", 80)


def test_a_list_field_takes_the_option_of_the_cause(jira, target_state):
    jira.custom["customfield_10050"] = "option"
    jira.options["customfield_10050"] = ["c1", "c2"]
    notify(jira, notification(), target_state, declared(jira, fields={"cause": "customfield_10050"}))
    assert jira.issues[0].fields["customfield_10050"] == {"value": "c1"}


def test_a_field_that_is_not_on_the_screen_is_mentioned_and_the_rest_is_done(jira, target_state):
    receipt = notify(jira, notification(), target_state, declared(jira, fields={"cause": "customfield_77"}))
    assert "customfield_77 is not on the edit screen" in receipt.sentence.en
    assert "ig-7" in jira.issues[0].labels


def test_watchers_get_no_mail_and_without_that_permission_the_edit_goes_on(jira, target_state):
    notify(jira, notification(), target_state)
    edits = [call for call in jira.writes if call.method == "PUT"]
    assert all(call.params == {"notifyUsers": "false"} for call in edits)
    jira.admin = False
    notify(jira, notification(verdict=verdict("quiet")), target_state)
    assert "quiet headline" in contract.text_of(next(iter(jira.issues[0].comments.values())).body)


def test_an_oauth_client_notifies_too(cloud, target_state):
    decl = declared(cloud, basic_user="", oauth_token_url=f"{cloud.url}/oauth/token", oauth_client_id="client")
    with reached(cloud, decl, None, oauth_client_secret=cloud.secret) as transport:
        assert SYSTEM.notify(transport, notification(), target_state).key == "OPS-1"
    assert sum("/oauth/token" in call.path for call in cloud.calls) == 1


def test_a_base_path_is_part_of_the_address(cloud, target_state):
    decl = declared(cloud, url=cloud.url + "/jira", deployment="datacenter")
    with reached(cloud, decl) as transport, pytest.raises(Refused):
        SYSTEM.notify(transport, notification(), target_state)
    assert cloud.calls[0].path.startswith("/jira/rest/api/2/search")


def test_a_long_title_is_cut_as_java_counts(jira, target_state):
    notify(jira, notification(title="😀" * 5000), target_state)
    summary = jira.issues[0].fields["summary"]
    assert contract.units(summary) <= 255
    assert summary.endswith("…")


def test_the_comment_shows_its_revision(jira, target_state):
    notify(jira, notification(), target_state)
    assert "Revision 3" in contract.text_of(next(iter(jira.issues[0].comments.values())).body)


def test_nothing_secret_is_shown_in_a_dry_run(cloud, target_state):
    traffic = Traffic()
    with reached(cloud, declared(cloud, mode="dry-run"), traffic) as transport:
        SYSTEM.notify(transport, notification(), target_state)
    assert cloud.secret not in json.dumps(traffic.held_back)


def test_a_chinese_ticket_shows_its_severity_in_chinese(jira, target_state):
    notify(jira, notification(language="zh"), target_state)
    description = contract.text_of(jira.issues[0].fields["description"])
    assert "严重级别：严重" in description and "high" not in description
