"""One report has the same content in every form."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from domain.text import Text
from domain.verdict import Outcome, TermResult
from tests.languages import in_both
from tests.tickets.reports import AT, similar, snapshot
from tickets.render import LIMIT, formats, render
from tickets.render.form import safe_url
from tickets.report import Known, Line, Report, Section, build, graph_page, percent, shortened
from tickets.sanitize import one_line

FORMS = ["adf", "dingtalk", "feishu", "html", "json", "markdown", "slack", "text", "wecom", "wiki"]
ADF_NODES = {"doc", "paragraph", "heading", "bulletList", "listItem", "panel", "codeBlock", "text"}
NASTY = "a|b [x](http://evil.example) *b* _i_ `c` <script> {code} !img.png! @all #1 ~s~ ^s^ $x$ \n# head\r\n- item \x00"
HOSTILE = st.text(st.characters(codec="utf-8"), max_size=200)


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(inner for child in node.get("content", ()) for inner in nodes(child))]


def report_of(text: str) -> Report:
    line = Line(Text.rendered(text, text), query=text, url=text)
    return Report(
        1, text, Text.rendered(text, text), Text(""), text, None, 0, (Section(Text.rendered(text, text), (line,)),)
    )


def test_the_forms_are_these() -> None:
    assert list(formats()) == FORMS


@pytest.mark.parametrize("form", FORMS)
def test_each_form_shows_the_same_items(form: str) -> None:
    content = text_of(render(build(snapshot("disk")), form))
    for words in ("disk headline", "disk for 0", "disk against 0", "disk step", "disk is ruled out", "disk is missing"):
        assert words in content
    assert "likely" in content
    assert "disk for 3" not in content, "only the three strongest terms are shown"


@pytest.mark.parametrize("form", FORMS)
def test_each_form_speaks_chinese(form: str) -> None:
    content = text_of(render(build(snapshot("disk")), form, "zh-hans"))
    assert "中文 disk headline" in content
    assert "后续步骤" in content
    assert "Next steps" not in content


@pytest.mark.parametrize("form", FORMS)
def test_an_incident_without_verdict_is_shown_as_such(form: str) -> None:
    assert "not been investigated" in text_of(render(build(snapshot(judged=False)), form))


def test_what_is_left_out_is_counted() -> None:
    report = build(snapshot(), [similar(n) for n in range(9)])
    assert in_both(report.sections[-1].more) == ("6 more", "另有 6 项")


def test_a_query_leads_to_the_declared_servers_graph_with_its_range() -> None:
    term = TermResult(
        "m", Outcome.FOR, 1.0, Text.rendered("a", "b"), 'up{job="x"}', AT, AT + timedelta(minutes=30), connection="main"
    )
    shown = snapshot()
    assert shown.verdict is not None
    cause = replace(
        shown.verdict.causes[0],
        terms=(term, replace(term, measure="n"), replace(term, measure="z", connection="etcd", query="GET /health")),
    )
    report = build(
        replace(shown, verdict=replace(shown.verdict, causes=(cause,))),
        known=Known({"main": "http://prom.example/base/"}),
    )
    first, repeated, other = report.sections[0].lines
    assert first.query_url == (
        "http://prom.example/base/graph?g0.expr=up%7Bjob%3D%22x%22%7D&g0.tab=0"
        "&g0.range_input=1800s&g0.end_input=2026-11-20%2008%3A30%3A00"
    )
    assert (repeated.query, repeated.query_url) == ("", ""), "a query stands where it is first needed"
    assert (other.query, other.query_url) == ("GET /health", "")
    assert first.query_url in str(render(report, "markdown"))
    assert "`GET /health`" in str(render(report, "markdown"))


@pytest.mark.parametrize(
    "query",
    [
        'up{job=~"a|b",x!~"c.*"}',
        "rate(x[5m]) > 0.5 and on (y) (z < bool 1)",
        'label_replace(up, "a", "$1", "b", "\\\\d+")',
    ],
)
def test_every_query_can_be_linked(query: str) -> None:
    term = TermResult("m", Outcome.FOR, 1.0, Text.rendered("a", "b"), query, connection="main")
    url = graph_page("http://prom.example", query, term)
    assert safe_url(url) == url
    assert parse_qs(urlsplit(url).query)["g0.expr"] == [query]


def test_causes_are_named_by_title_and_commands_can_be_pasted() -> None:
    shown = snapshot()
    assert shown.verdict is not None
    steps = (
        Text("iostat -x 5 3"),
        Text.rendered("On its host: pidstat -d 5", "在其主机上：pidstat -d 5"),
        Text.rendered("Wait: a", "等：b"),
    )
    cause = replace(shown.verdict.causes[0], next_steps=steps)
    verdict = replace(shown.verdict, causes=(cause,), tell_apart=(Text.rendered("the round trip", "往返时间"),))
    known = Known(titles={"x": Text.rendered("A full disk", "磁盘满")})
    text = str(render(build(replace(shown, verdict=verdict), known=known), "text"))
    assert "A full disk: slow disk is ruled out" in text
    assert "  - iostat -x 5 3\n  - On its host:\n      pidstat -d 5\n  - Wait: a\n" in text
    assert "What would tell them apart\n  - the round trip" in text
    assert "Something else, unknown: unlikely (10%)" in text


def test_evidence_of_later_causes_gives_way_before_the_next_steps() -> None:
    report = build(snapshot())
    kept = {str(s.title).split(":")[0]: s for s in report.sections}
    assert kept["Next steps"].yields < kept["2. slow disk"].yields < kept["Similar incidents"].yields
    content = str(render(report, "markdown", limit=1_000))
    assert "slow disk step" in content
    assert "slow disk for 0" in content
    assert "slow disk is ruled out" not in content


def test_whole_sections_are_counted_when_nothing_else_is_left() -> None:
    report = build(snapshot())
    items = sum(len(s.lines) + s.dropped for s in report.sections)
    last = _emptied(report)
    assert last.sections == ()
    assert last.more == Text("{count} more", count=items)


def test_the_address_follows_the_base_url() -> None:
    assert build(snapshot(), base_url="https://x.example/").url == "https://x.example/incidents/i1/"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("limit", [1_500, 3_000, 6_000])
def test_a_long_report_drops_whole_items(form: str, limit: int) -> None:
    report = build(snapshot("word " * 40))
    content = render(report, form, limit=limit)
    size = formats()[form].size
    full = render(report, form, limit=10**9)
    assert size(full) > limit
    assert size(content) <= limit or all(not s.lines for s in _emptied(report).sections)
    assert "more" in text_of(content)


def _emptied(report: Report) -> Report:
    while (less := shortened(report)) is not None:
        report = less
    return report


def test_the_last_section_gives_way_first() -> None:
    report = build(snapshot())
    less = shortened(report)
    assert less is not None
    assert less.sections[0] == report.sections[0]
    assert less.sections[-1].dropped == report.sections[-1].dropped + 1


@given(HOSTILE)
@settings(max_examples=150, deadline=None)
def test_untrusted_text_formats_nothing_in_markdown(text: str) -> None:
    report = report_of(text)
    tokens = MarkdownIt("commonmark").parse(str(render(replace(report, url=""), "markdown")))
    kinds = {t.type for t in tokens} | {c.type for t in tokens for c in t.children or ()}
    assert kinds <= {
        "heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close", "strong_open", "strong_close",
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "text", "code_inline",
        "hardbreak", "text_special", "softbreak",
    }  # fmt: skip
    assert sum(t.type == "list_item_open" for t in tokens) == 1
    heading = next(t for t in tokens if t.type == "inline")
    assert "".join(c.content for c in heading.children or ()) == one_line(f"#1 {text}")


@given(HOSTILE)
@settings(max_examples=150, deadline=None)
def test_untrusted_text_stays_text_in_adf(text: str) -> None:
    document = render(report_of(text), "adf")
    assert isinstance(document, dict)
    assert {n["type"] for n in nodes(document)} <= ADF_NODES
    assert all(n["text"] for n in nodes(document) if n["type"] == "text")
    links = [m["attrs"]["href"] for n in nodes(document) for m in n.get("marks", ()) if m["type"] == "link"]
    assert all(link.startswith(("http://", "https://")) for link in links)


@given(HOSTILE)
@settings(max_examples=150, deadline=None)
def test_untrusted_text_formats_nothing_in_wiki(text: str) -> None:
    wiki = str(render(replace(report_of(text), url=""), "wiki"))
    own = {"h2.", "h3.", "*", "**"}
    assert all(line.split(" ")[0] in own or line.startswith("*") for line in wiki.splitlines() if line)
    for mark in "|[]!^~_":
        assert mark not in wiki
    assert wiki.count("{") in {0, 2}


@pytest.mark.parametrize("form", ["markdown", "wiki"])
def test_markup_in_a_title_is_shown_as_it_came(form: str) -> None:
    content = str(render(build(snapshot(title=NASTY)), form))
    assert "<script>" not in content
    assert "](http://evil" not in content
    assert "\x00" not in content


def test_a_javascript_address_is_no_link() -> None:
    bad = replace(build(snapshot()), url="javascript:alert(1)")
    assert all("javascript" not in text_of(render(bad, form)) for form in formats())


def test_a_title_is_at_most_255_characters() -> None:
    content = render(build(snapshot(title="x" * 5000)), "json")
    assert isinstance(content, dict)
    assert len(content["title"]) == 255


def test_percentages_never_promise() -> None:
    assert (percent(0.0), percent(1.0), percent(0.834)) == ("1%", "99%", "83%")


def test_the_usual_limit_leaves_room_for_what_jira_adds() -> None:
    assert LIMIT < 32_767
