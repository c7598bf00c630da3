"""Which words senders use for a severity, and the table of them in the manual."""

import re
from pathlib import Path

import pytest

from domain.alerts import Severity
from domain.severities import LABELS, WORDS, severity_of, severity_of_labels

PAGE = Path(__file__).parents[2] / "docs" / "senders.md"


@pytest.mark.parametrize("word", ["P1", "sev1", "SEV-0", "emergency", "fatal", "disaster", "Critical", "page", "sev 1"])
def test_the_worst_words_are_critical(word: str) -> None:
    assert severity_of(word, {}) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("error", Severity.HIGH), ("major", Severity.HIGH), ("Sev_2", Severity.HIGH), ("medium", Severity.AVERAGE),
        ("warn", Severity.WARNING), ("yellow", Severity.WARNING), ("informational", Severity.INFO),
        ("debug", Severity.INFO), ("ok", Severity.INFO), ("none", Severity.INFO), ("", None), ("notify", None),
    ],
)  # fmt: skip
def test_other_words_have_their_own_severity_and_an_unknown_one_none(word: str, severity: Severity | None) -> None:
    assert severity_of(word, {}) is severity


def test_a_word_stands_for_one_severity_and_is_written_plainly() -> None:
    words = [word for group in WORDS.values() for word in group]
    assert len(words) == len(set(words)) and all(re.fullmatch("[a-z0-9]+", word) for word in words)
    assert set(WORDS) == set(Severity)


def test_a_source_adds_words_and_may_change_one() -> None:
    extra = {"Gold Tier": "critical", "page": "average"}
    assert severity_of("gold-tier", extra) is Severity.CRITICAL
    assert severity_of("page", extra) is Severity.AVERAGE
    assert severity_of("fatal", extra) is Severity.CRITICAL


def test_the_first_label_with_a_known_word_counts() -> None:
    assert severity_of_labels({"severity": "team-a", "priority": "P1"}, {}) is Severity.CRITICAL
    assert severity_of_labels({"level": "error", "severity": "info"}, {}) is Severity.INFO
    assert severity_of_labels({"severity": "team-a"}, {}) is Severity.WARNING
    assert severity_of_labels({}, {}) is Severity.WARNING


def test_the_manual_has_the_same_table() -> None:
    rows = dict(re.findall(r"^\| (info|warning|average|high|critical) \| (.+) \|$", PAGE.read_text(), re.M))
    assert {severity: tuple(words.split(", ")) for severity, words in rows.items()} == {
        severity.value: words for severity, words in WORDS.items()
    }
    assert all(f"`{label}`" in PAGE.read_text() for label in LABELS)
