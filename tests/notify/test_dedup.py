"""Dedup as a table: the state that was last sent, the state now, and the reason to notify."""

from dataclasses import replace

import pytest

from domain.alerts import Severity
from domain.verdict import VerdictState
from notify.dedup import LastState, passes, reason_to_notify, severe_enough, state_of, stored_state
from notify.storm import is_storm
from tests.graph.snapshots import confirmation, judged, plain
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
        (replace(DISK, reopened=2), replace(DISK, reopened=1), Reason.UPDATED, False),
        (replace(DISK, reopened=1), replace(DISK, reopened=1), Reason.UPDATED, False),
        (DISK, replace(DISK, cause="dns-failure", acknowledged="ada"), Reason.CAUSE_CHANGED, True),
        (DISK, replace(DISK, cause="dns-failure", confirmed="dns-failure"), Reason.CONFIRMED, False),
        (DISK, replace(DISK, reopened=1, confirmed="dns-failure"), Reason.REOPENED, True),
        (replace(DISK, acknowledged="ada"), DISK, Reason.ACKNOWLEDGED, False),
        (None, replace(DISK, resolved=True, merged=7), None, False),
        (DISK, replace(DISK, resolved=True, merged=7), Reason.MERGED, True),
        (replace(DISK, resolved=True), replace(DISK, resolved=True, merged=7), Reason.MERGED, True),
        (replace(DISK, merged=7), replace(DISK, cause="dns-failure", merged=8), None, False),
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
    assert stored_state({"judged": False, "reopened": 2}) == LastState(judged=False, reopened=2)


def test_the_state_of_an_incident_is_what_messages_are_about() -> None:
    assert state_of(plain("i")) == LastState(judged=False, resolved=True)
    assert state_of(plain("i", state="open", reopened=2, acknowledged_by="ada")) == LastState(
        judged=False, reopened=2, acknowledged="ada"
    )
    assert state_of(judged("i", state="open")) == LastState(judged=True, cause="cross-az-network-jitter")
    often = tuple(confirmation(slug) for slug in ("dns-failure", "network-path-drop", "etcd-slow-disk"))
    assert state_of(plain("i", confirmed=often)).confirmed == "etcd-slow-disk"


def test_an_unknown_or_an_empty_ranking_has_no_cause() -> None:
    named = judged("i", state="open")
    assert named.verdict is not None
    for verdict in (replace(named.verdict, state=VerdictState.UNKNOWN), replace(named.verdict, causes=())):
        assert state_of(replace(named, verdict=verdict)) == UNKNOWN
    calm = replace(named, verdict=replace(named.verdict, state=VerdictState.NO_FAULT))
    assert state_of(calm).cause == "cross-az-network-jitter"


@pytest.mark.parametrize("least", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
def test_a_target_wants_its_least_severity_and_what_is_worse(severity: Severity, least: Severity) -> None:
    worst_last = list(Severity)
    enough = worst_last.index(severity) >= worst_last.index(least)
    assert severe_enough(plain("i", severity=severity), least.value) is enough
