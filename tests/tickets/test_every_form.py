"""Untrusted text in every form: shown as text, within the limit, and the same in all of them."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from domain.snapshot import IncidentSnapshot
from domain.text import Text
from tests.tickets.reading import READERS, sentences
from tests.tickets.reports import snapshot
from tickets.render import formats, render
from tickets.report import Known, Report, build
from tickets.sanitize import clipped, one_line

FORMS = sorted(READERS)
NASTY = [
    "*bold* _it_ ~gone~ `code` ```fence```", "{code}rm{code} {noformat} {html}", "[x](http://evil.example)",
    "[x|http://evil.example]", "<http://evil.example|x>", "<script>alert(1)</script>", "<!-- -->", "<![CDATA[x]]>",
    "@all", "<@U123>", "<@here>", "<!channel>", "<!subteam^S1>", "<#C1>", "@channel", "[~admin]", "<at user_id=\"all\">",
    "javascript:alert(1)", "[x](javascript:alert(1))", "data:text/html,x", "http://evil.example/a?b=c&d", "&amp; &#42; &lt;",
    "\u202egnp.exe", "\u200bzero\u200dwidth\ufeff", "\u2066bidi\u2069", "\n# head", "\r\n- item", "\n> quote", "\x00\x1b[31m", "| a | b |",
    "h1. head", "!img.png!", "!img.png|onload=x!", "----", ":fire: :+1:", "$x^2$", "\\", "\\\\", "e\u0301" * 3, "👩‍👩‍👧", "漢字" * 5,
    "\ud800", "<font color=\"warning\">x</font>", "1. one", "+ plus", "{{", "}}", "**", "__x__", "``", "&", "<", ">", "\u2028", "\u3000", "١٢٣",
]  # fmt: skip
PIECES = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8"), max_size=30))
HOSTILE = st.lists(PIECES, max_size=12).map("".join)
KNOWN = Known(prometheus={"main": "http://prometheus.example:9090"})
WHOLE = 10**9


def hostile(text: str) -> IncidentSnapshot:
    """An incident in which every text that comes from outside is this one."""
    whole = snapshot(text, title=text)
    verdict = whole.verdict
    assert verdict is not None
    causes = tuple(
        replace(
            cause,
            terms=tuple(replace(t, query=f"{n}{text}", connection="main" if n % 2 else "") for n, t in enumerate(cause.terms)),
            next_steps=(Text.rendered(text, text), Text.rendered(text, f"z{text}")),
        )
        for cause in verdict.causes
    )  # fmt: skip
    alike = tuple(
        replace(s, title=text, cause=text, fixed_by=text, url=text if n else s.url)
        for n, s in enumerate(verdict.similar)
    )
    changed = replace(verdict, causes=causes, similar=alike, tell_apart=(Text.rendered(text, text),))
    return replace(whole, verdict=changed)


def report_of(text: str) -> Report:
    return build(hostile(text), known=KNOWN)


@given(HOSTILE)
@settings(max_examples=60, deadline=None)
@example("")
@example("".join(NASTY))
@example("a · b")
def test_untrusted_text_is_text_and_the_same_in_every_form(text: str) -> None:
    for language in ("en", "zh-hans"):
        read = {form: sentences(form, render(report_of(text), form, language, WHOLE)) for form in FORMS}
        for form in FORMS:
            assert read[form] == read["adf"], form


@given(HOSTILE, st.integers(1, 40))
@settings(max_examples=40, deadline=None)
@example("\U0001f600*&@", 1_000)
def test_every_form_keeps_its_limit_and_its_markup(text: str, times: int) -> None:
    report = report_of(text * times)
    for name, form in formats().items():
        content = render(report, name, "zh-hans")
        assert form.size(content) <= form.limit
        if name in READERS:
            sentences(name, content)


@pytest.mark.parametrize(
    "text",
    [
        piece * (1_000_000 // len(piece))
        for piece in ("<!channel> ", "\u202e", "👩‍👩‍👧", "{code}", "&", "e\u0301", "\x00")
    ],
)
def test_a_megabyte_of_text_is_shown_by_its_beginning(text: str) -> None:
    incident = hostile(text)
    begun = time.thread_time()
    report = build(incident, known=KNOWN)
    assert time.thread_time() - begun < 0.25, "only the beginning is looked at"
    for name, form in formats().items():
        content = render(report, name, limit=None)
        assert form.size(content) <= form.limit
        if name in READERS:
            sentences(name, content)


@given(HOSTILE)
@settings(max_examples=40, deadline=None)
def test_slack_takes_the_blocks(text: str) -> None:
    content = render(report_of(text * 20), "slack")
    assert isinstance(content, dict)
    blocks = content["blocks"]
    assert len(blocks) <= 50
    assert sum(block["type"] == "section" for block in blocks) > 0
    for block in blocks:
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3_000
        elif block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= 150
        else:
            assert block["type"] == "context"
            assert len(block["elements"]) <= 10
    assert not set(content["text"]) & set("<>*`~")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_room_still_holds_title_headline_and_link(form: str, language: str) -> None:
    report = replace(report_of("瘦" * 900), url="https://graph.example/incidents/1/")
    content: Any = render(report, form, language, limit=1)
    shown = sentences(form, content)
    assert any(s.startswith("#7 瘦瘦") for s in shown)
    assert any("headline" in s or s.startswith("中文 瘦") or s.startswith("瘦") for s in shown)
    assert "https://graph.example/incidents/1/" in json.dumps(content)
    assert formats()[form].size(content) <= formats()[form].limit


def test_no_invisible_mark_is_left_in_any_form() -> None:
    report = report_of("\u202eevil\u2066\u200b\u200d\ufeff\u2028x")
    for form in formats():
        content = json.dumps(render(report, form), ensure_ascii=False)
        assert not set(content) & set("\u202e\u2066\u200b\u200d\ufeff\u2028"), form


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(2, 40))
@settings(max_examples=200, deadline=None)
def test_a_clipped_text_is_one_line_within_its_length(text: str, limit: int) -> None:
    short = clipped(text, limit)
    assert len(short) <= limit
    assert short == one_line(short)
    assert short == one_line(text) or short.endswith("…")


def test_a_cut_takes_no_accent_from_its_letter() -> None:
    assert clipped("abce\u0301d", 5) == "abc…"
    assert clipped("abce\u0301d", 6) == "abce\u0301d"


@pytest.mark.parametrize("limit", [None, 3_000, 1])
@pytest.mark.parametrize("text", ["", "".join(NASTY), "\u200b", "瘦" * 3_000])
def test_the_document_is_what_the_published_schema_allows(text: str, limit: int | None) -> None:
    schema = json.loads((Path(__file__).parents[1] / "fakes/schemas/adf.json").read_text())
    document = render(report_of(text), "adf", limit=limit)
    assert not [fault.message for fault in Draft4Validator(schema).iter_errors(document)]


def test_twins_stand_only_where_the_sign_would_mean_something() -> None:
    wecom = str(render(build(snapshot("rate(x[5m]) 2 > 1 a_b __c__")), "wecom"))
    assert wecom.startswith("## #7 etcd has no leader\n")
    assert "\n**1. rate(x［5m］) 2 ＞ 1 a_b ＿＿c＿＿: likely (80%)**\n" in wecom
