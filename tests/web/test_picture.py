"""The picture of what hangs together in an incident."""

from dataclasses import replace

from django.utils import translation

from domain.alerts import AlertState, Severity
from domain.snapshot import AlertRecord
from incidents import queries
from web.pages.incident import picture


def test_the_picture_names_its_columns_and_counts_what_is_not_drawn(incident):
    snapshot = queries.snapshot(str(incident.pk))
    with translation.override("en"):
        drawn = picture(snapshot, snapshot.verdict, "en")
    assert [drawn.count(f">{word}</text>") for word in ("alerts", "what they are about", "the incident")] == [1, 1, 1]
    assert "not drawn" not in drawn
    more = tuple(
        AlertRecord(f"a{n}", "prod", "Down", "down", Severity.HIGH, AlertState.FIRING, snapshot.started_at, None, ())
        for n in range(8)
    )
    with translation.override("en"):
        assert "2 more are not drawn" in picture(replace(snapshot, alerts=more), snapshot.verdict, "en")


def test_a_column_that_holds_nothing_has_no_heading(incident):
    snapshot = replace(queries.snapshot(str(incident.pk)), verdict=None)
    with translation.override("en"):
        assert "causes, and alike" not in picture(snapshot, None, "en")
