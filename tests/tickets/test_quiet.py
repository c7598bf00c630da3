"""The quiet policy as a table: what was told, what is now, and why there is a message."""

from dataclasses import replace

import pytest

from tickets.quiet import Standing, occasion, recalled, speaks, storm
from tickets.system import Occasion

NEW = Standing(judged=False)
DISK = Standing(judged=True, cause="etcd-slow-disk")
UNKNOWN = Standing(judged=True)


@pytest.mark.parametrize(
    ("before", "now", "why", "loud"),
    [
        (None, NEW, None, False),
        (None, replace(NEW, resolved=True), None, False),
        (None, DISK, Occasion.VERDICT, True),
        (None, UNKNOWN, Occasion.VERDICT, True),
        (None, replace(DISK, resolved=True), Occasion.VERDICT, True),
        (DISK, DISK, Occasion.UPDATED, False),
        (DISK, replace(DISK, cause="dns-failure"), Occasion.CAUSE_CHANGED, True),
        (UNKNOWN, DISK, Occasion.CAUSE_CHANGED, True),
        (DISK, UNKNOWN, Occasion.UPDATED, False),
        (DISK, replace(DISK, acknowledged="ada"), Occasion.ACKNOWLEDGED, False),
        (DISK, replace(DISK, confirmed="etcd-slow-disk"), Occasion.CONFIRMED, False),
        (DISK, replace(DISK, resolved=True), Occasion.RESOLVED, True),
        (DISK, replace(DISK, resolved=True, cause="dns-failure", acknowledged="ada"), Occasion.RESOLVED, True),
        (replace(DISK, resolved=True), replace(DISK, resolved=True), Occasion.UPDATED, False),
        (replace(DISK, resolved=True), replace(DISK, reopened=1), Occasion.REOPENED, True),
        (replace(DISK, resolved=True), replace(DISK, resolved=True, reopened=1), Occasion.UPDATED, False),
        (DISK, replace(DISK, reopened=1), Occasion.REOPENED, True),
    ],
)
def test_why_there_is_a_message(before: Standing | None, now: Standing, why: Occasion | None, loud: bool) -> None:
    assert occasion(before, now) == why
    assert speaks(why, edits=False) is loud
    assert speaks(why, edits=True) is (why is not None)


@pytest.mark.parametrize(
    ("lately", "waiting", "is_one"), [(0, 1, False), (0, 10, False), (0, 11, True), (10, 1, True), (9, 1, False)]
)
def test_more_than_ten_new_incidents_are_a_storm(lately: int, waiting: int, is_one: bool) -> None:
    assert storm(lately, waiting, 10) is is_one


def test_what_another_version_kept_is_recalled_as_far_as_it_is_known() -> None:
    assert recalled({"cause": "dns-failure", "mood": "calm"}) == Standing(judged=True, cause="dns-failure")
