"""Alert text with markup, mentions and megabytes stays text in Jira, under its limits."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.text import Text
from tests.fakes import jira_contract as contract
from tests.fakes.jira import CLOUD, DATA_CENTER, JiraFake
from tests.tickets.jira_scene import FileTargetState, notification, notify
from tests.tickets.reports import both, verdict

PIECES = (
    "{code}", "{noformat}", "{quote}", "[~accountid:557058:ada]", "[~admin]", "@all", "|http://evil.example]",
    "javascript:alert(1)", "!http://evil.example/x.png!", "*b*", "_i_", "{{m}}", "h1. ", "||th||", "\\\\", "\u202e",
    "\u200b", "\x00", "\ud800", "\r\n* item", "<script>", "&#64;", "bq. ", "----", "😀", "é", "{color:red}", "+u+",
    "[link|https://evil.example]", "'", '"', "x" * 300, "/cause etcd-slow-disk",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=20), max_size=30).map("".join)
# What our own report is made of; anything else came out of somebody's text.
NODES = {"doc", "paragraph", "heading", "bulletList", "orderedList", "listItem", "panel", "codeBlock", "text", "rule", "expand", "status", "hardBreak"}  # fmt: skip


@pytest.fixture(scope="module", params=[CLOUD, DATA_CENTER])
def jira(request):
    with JiraFake(request.param) as served:
        yield served


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for child in node.get("content", ()) for inner in nodes(child))]


def poisoned(text: str, number: int):
    """An incident whose every text is hostile."""
    changed = verdict(text)
    changed = replace(changed, headline=Text.rendered(text, text), tell_apart=(both(text),))
    return notification(
        id=f"i{number}", number=number, title=text, verdict=changed, url=f"https://graph.example/{text}"
    )


def assert_text_only(body: Any) -> None:
    """No element but ours, no link but http, no wiki markup that the text brought along."""
    if isinstance(body, dict):
        assert contract.document_fault(body) == ""
        assert {n["type"] for n in nodes(body)} <= NODES
        links = [m["attrs"]["href"] for n in nodes(body) for m in n.get("marks", ()) if m["type"] == "link"]
        assert all(link.startswith("https://graph.example/") for link in links)
        return
    bare = re.sub(r"&#\d+;", "", body)
    bare = re.sub(r"\[(?:[^\]|\[]*\|)?https://graph\.example/[^\]]*\]", "", bare)
    for mark in ("[", "]", "!", "|", "~", "\\", "<", "@"):
        assert mark not in bare, mark
    assert not re.search(r"\{(?!\{)[a-z:]+\}", bare.replace("{{", "").replace("}}", ""))
    assert all(re.match(r"(h[2-6]\. |\*+ |\*|[^*#|!{\\-]|$)", line) for line in bare.split("\n"))


@given(text=HOSTILE, number=st.integers(1, 10**6))
@settings(max_examples=60, deadline=None)
def test_hostile_text_stays_text_all_the_way_into_jira(jira, tmp_path_factory, text, number):
    jira.shop.issues.clear()
    target_state = FileTargetState(tmp_path_factory.mktemp("told") / "memory.json")
    notify(jira, poisoned(text, number), target_state)
    (issue,) = jira.issues
    (comment,) = issue.comments.values()
    assert_text_only(comment.body)
    assert_text_only(issue.fields["description"])
    assert contract.units(issue.fields["summary"]) <= 255
    assert contract.units(contract.text_of(comment.body)) <= 32_767
    assert f"ig-{number}" in issue.labels
    assert "\u202e" not in contract.text_of(comment.body)


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "😀" * 300_000, "&|{" * 300_000, "\u200b" * 1_000_000, "a\n" * 500_000]
)
def test_a_megabyte_in_every_place_fits(jira, tmp_path, text):
    jira.shop.issues.clear()
    notify(jira, poisoned(text, 7), FileTargetState(tmp_path / "memory.json"))
    (issue,) = jira.issues
    (comment,) = issue.comments.values()
    assert contract.units(contract.text_of(comment.body)) <= 32_767
    assert_text_only(comment.body)
