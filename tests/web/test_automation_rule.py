"""The rule that docs/jira.md offers fits the API it calls."""

import json
import re
from pathlib import Path

from incidents.models import TicketLink
from tests.web.test_api import bearer

RULE = json.loads((Path(__file__).parents[2] / "docs" / "jira" / "automation-rule.json").read_text())["rules"][0]


def component(kind: str) -> dict:
    (found,) = [one for one in RULE["components"] if one["type"] == kind]
    return found["value"]


def test_what_the_rule_sends_is_answered_with_what_it_writes(incident):
    TicketLink.objects.create(incident=incident, key="OPS-17")
    asked = component("jira.issue.outgoing.webhook")
    body = asked["customBody"].replace("{{issue.key}}", "OPS-17").replace("{{issue.labels.asJsonStringArray}}", '["x"]')
    path = re.sub(r"https://[^/]+", "", asked["url"])
    answer = bearer("read").post(path, json.loads(body), content_type="application/json")
    assert (asked["method"], answer.status_code) == ("POST", 200)
    used = re.findall(r"\{\{webhookResponse\.body\.(\w+)\}\}", component("jira.issue.comment")["comment"])
    assert len(used) >= 4
    assert all(answer.json()[name] for name in used)


def test_the_rule_comes_disabled_and_without_a_token():
    assert RULE["state"] == "DISABLED"
    headers = component("jira.issue.outgoing.webhook")["headers"]
    assert [h["value"] for h in headers if h["name"] == "Authorization"] == [
        "Bearer REPLACE-WITH-A-TOKEN-OF-SCOPE-READ"
    ]


def test_it_writes_only_when_there_was_an_answer():
    kinds = [one["type"] for one in RULE["components"]]
    assert kinds == ["jira.issue.outgoing.webhook", "jira.comparator.condition", "jira.issue.comment"]
    assert component("jira.comparator.condition")["second"] == "200"
