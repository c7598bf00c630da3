"""How measured values and their charts are written, in both languages."""

from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from causes import unusual
from domain.findings import Finding, Item, Point, Series
from domain.text import Text
from domain.verdict import Outcome, RankedCause, TermResult, Verdict, VerdictState
from evidence.checks import all_measures
from web.drawing.chart import line_chart
from web.drawing.values import COUNTS, NUMBERED, SHARES, limited, spoken
from web.pages.incident import ShownTerm, measured_beside, shown_causes

START = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def series(*values: float) -> tuple[Series, ...]:
    first = int(START.timestamp() * 1000) - 60_000
    return (Series("etcd1", tuple(Point(first + i * 60_000, v) for i, v in enumerate(values))),)


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (1, "changes", "1 change", "1 次变更"),
        (0, "probes", "0 probes", "0 次探测"),
        (0.25, "share", "25%", "25%"),
        (0.9512, "of its quota", "95.1% of its quota", "95.1%（占配额）"),
        (0.0004, "s", "0.4 ms", "0.4 ms"),
        (137, "exit code", "exit code 137", "退出码 137"),
        (503, "status", "status 503", "状态码 503"),
        (0.002, "p", "p = 0.002", "p = 0.002"),
        (1536, "B", "1.5 KiB", "1.5 KiB"),
        (None, "s", "–", "–"),
    ],
)
def test_a_value_is_written_with_its_word_in_both_languages(value, unit, english, chinese):
    assert spoken(value, unit) == english
    assert spoken(value, unit, "zh-hans") == chinese


def test_a_limit_of_nothing_has_no_unit_and_a_count_is_not_named_twice():
    assert limited(0, "s") == "0"
    assert limited(3, "heartbeats") == "3"
    assert limited(0.25, "share") == "25%"


def test_every_unit_of_a_measure_can_be_written_in_chinese():
    known = {"", "s", "B", *NUMBERED, *SHARES, *COUNTS}
    declared = {(m.unit, m.items_unit, m.charted.unit if m.charted else "") for m in all_measures().values()}
    assert {unit for units in declared for unit in units} <= known


def test_the_chart_names_its_marks_and_the_limit_that_is_not_in_it():
    with translation.override("en"):
        near = line_chart(series(0.01, 0.3), unit="s", limit=0.15, start=START, title="round trips")
        far = line_chart(series(0.001, 0.002), unit="s", limit=0.5, start=None, title="round trips")
    assert "the limit, 150 ms, is the dashed red line" in near and "▲ the first alert" in near and "UTC" in near
    assert 'class="limit"' not in far and "the limit, 500 ms, lies above this chart" in far and "▲" not in far
    with translation.override("zh-hans"):
        assert "红色虚线为界限 150 ms" in line_chart(series(0.3, 0.3), unit="s", limit=0.15, start=START, title="x")


def test_a_limit_of_nothing_draws_no_line_over_the_axis():
    assert 'class="limit"' not in line_chart(series(1, 2), unit="changes", limit=0, start=START, title="x")


def test_a_detail_table_without_notes_has_no_column_for_them():
    sentence = Text.rendered("5 of 5 failed probes.", "5 次失败探测。")
    for note, columns in (("", 2), ("of 7", 3)):
        found = Finding("probe-refused", "blackbox-phases", True, sentence, items=(Item("refused", 5.0, note),))
        shown = {"shown": ShownTerm(TermResult("probe-refused", Outcome.FOR, 1.0, sentence), SafeString(""), found)}
        assert render_to_string("web/parts/proof.html", shown).count("<th") - 1 == columns


def test_lines_that_are_not_the_value_are_labelled_and_have_neither_its_unit_nor_its_limit():
    sentence = Text.rendered("It answered 60% of its scrapes.", "只响应了 60% 的采集。")
    found = Finding("go-process-answers", "go-runtime", True, sentence, 0.6, "share", 0.8, series=series(1, 0, 1))
    term = TermResult("go-process-answers", Outcome.FOR, 1.0, sentence, value=0.6, unit="share", limit=0.8)
    cause = RankedCause("handler-crash", "application", sentence, 1, 0.9, (term,))
    verdict = Verdict("1", 1, VerdictState.RANKED, sentence, START, (cause,), 0.1, (), (), (), "terms", "1", "sha256:0")
    shown = shown_causes(verdict, [found], START)[0].terms[0]
    assert shown.charted is not None and "1 yes, 0 no" in shown.charted.en
    assert "80%" not in shown.chart and "%" not in shown.chart and 'class="limit"' not in shown.chart


@pytest.mark.parametrize(
    ("measure", "unit", "details"),
    [("event-status-code", "events", "status"), ("spec-shared-endpoint", "", "s"), ("etcd-rtt-cross-zone", "pairs", "s"),
     ("etcd-heartbeat-failures", "heartbeats", "heartbeats"), (unusual.MEASURE, "p", "")],
)  # fmt: skip
def test_details_stand_in_their_own_unit_and_a_score_in_none(measure, unit, details):
    found = Finding(measure, "x", True, Text("x"), 2.0, unit, items=(Item("etcd1", 503.0),))
    assert [shown.items_unit for shown in measured_beside(None, [found])] == [details]
