"""Dedup as a table: the state that was last sent, the state now, and the reason to notify."""

from dataclasses import replace

import pytest

from notify.dedup import LastState, passes, reason_to_notify, stored_state
from notify.storm import is_storm
from tickets.system import Reason

NEW = LastState(judged=False)
DISK = LastState(judged=True, cause="etcd-slow-disk")
UNKNOWN = LastState(judged=True)


@pytest.mark.parametrize(
    ("before", "now", "why", "loud"),
    [
        (None, NEW, None, False),
        (None, replace(NEW, resolved=True), None, False),
        (None, DISK, Reason.VERDICT, True),
        (None, UNKNOWN, Reason.VERDICT, True),
        (None, replace(DISK, resolved=True), Reason.VERDICT, True),
        (DISK, DISK, Reason.UPDATED, False),
        (DISK, replace(DISK, cause="dns-failure"), Reason.CAUSE_CHANGED, True),
        (UNKNOWN, DISK, Reason.CAUSE_CHANGED, True),
        (DISK, UNKNOWN, Reason.UPDATED, False),
        (DISK, replace(DISK, acknowledged="ada"), Reason.ACKNOWLEDGED, False),
        (DISK, replace(DISK, confirmed="etcd-slow-disk"), Reason.CONFIRMED, False),
        (DISK, replace(DISK, resolved=True), Reason.RESOLVED, True),
        (DISK, replace(DISK, resolved=True, cause="dns-failure", acknowledged="ada"), Reason.RESOLVED, True),
        (replace(DISK, resolved=True), replace(DISK, resolved=True), Reason.UPDATED, False),
        (replace(DISK, resolved=True), replace(DISK, reopened=1), Reason.REOPENED, True),
        (replace(DISK, resolved=True), replace(DISK, resolved=True, reopened=1), Reason.UPDATED, False),
        (DISK, replace(DISK, reopened=1), Reason.REOPENED, True),
    ],
)
def test_why_there_is_a_message(before: LastState | None, now: LastState, why: Reason | None, loud: bool) -> None:
    assert reason_to_notify(before, now) == why
    assert passes(why, edits=False) is loud
    assert passes(why, edits=True) is (why is not None)


@pytest.mark.parametrize(
    ("lately", "waiting", "is_one"), [(0, 1, False), (0, 10, False), (0, 11, True), (10, 1, True), (9, 1, False)]
)
def test_more_than_ten_new_incidents_are_a_storm(lately: int, waiting: int, is_one: bool) -> None:
    assert is_storm(lately, waiting, 10) is is_one


def test_what_another_version_kept_is_recalled_as_far_as_it_is_known() -> None:
    assert stored_state({"cause": "dns-failure", "mood": "calm"}) == LastState(judged=True, cause="dns-failure")
