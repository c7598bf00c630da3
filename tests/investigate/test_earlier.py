"""A verdict that rested on more evidence is not replaced by one that rests on less, live and in a replay."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from domain.findings import Finding
from domain.text import Text
from evidence.bundles import Bundle
from investigate.earlier import kept, with_earlier
from tests.evidence.scene import NOON, scope

FIRST = NOON + timedelta(minutes=2)
SEEN = Finding("live-refused", "live-probe", True, Text("refused"), to=FIRST)
SILENT = Finding("live-refused", "live-probe", None, Text("unknown"), why_unknown=Text("it passes now"), to=NOON)


def test_what_was_seen_stays_with_its_time_when_nobody_can_say_any_more() -> None:
    (found,) = with_earlier(scope(), [SILENT], [SEEN])
    assert found.seen and found.kept_from == FIRST and "12:02:00" in found.sentence.en
    (again,) = with_earlier(scope(), [SILENT], [found])
    assert again == found, "its time is told once"
    assert kept([again, SEEN]) == (again,)


def test_what_is_measured_now_is_never_replaced() -> None:
    now = replace(SILENT, seen=False, why_unknown=None)
    assert with_earlier(scope(), [now], [SEEN]) == (now,)


def test_what_an_earlier_look_did_not_see_excuses_no_silence() -> None:
    assert with_earlier(scope(), [SILENT], [replace(SEEN, seen=False)]) == (SILENT,)


def test_an_occurrence_before_this_one_says_nothing_of_it() -> None:
    old = replace(SEEN, to=NOON - timedelta(minutes=30))
    assert with_earlier(scope(), [SILENT], [old]) == (SILENT,)


def test_the_times_of_the_fault_are_those_of_the_newest_look() -> None:
    over = replace(SEEN, measure="fault-over")
    unknown = replace(SILENT, measure="fault-over")
    assert with_earlier(scope(), [unknown], [over]) == (unknown,)


def test_a_bundle_keeps_what_earlier_looks_saw(tmp_path: Path) -> None:
    (found,) = with_earlier(scope(), [SILENT], [SEEN])
    Bundle("t", NOON, scope().connections, None, (), (), (), earlier=(found,)).save(tmp_path / "b.zip")
    assert Bundle.load(tmp_path / "b.zip").earlier == (found,)
