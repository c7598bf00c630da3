"""What of the claimed rows is sent, and which of it becomes one message; without sending anything."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.alerts import Severity
from domain.connections import ChatDecl
from incidents import tickets
from incidents.models import Incident
from notify import dedup, outbox, storm, targets
from notify.dedup import Pending
from notify.models import Outbox, TargetStatus
from notify.targets import Target
from tests.notify.scene import ManualClock, an_incident, declared, judged
from tickets.system import Reason

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_systems")]
CAUSE = "etcd-slow-disk"


def a_target(**more: Any) -> Target:
    declared(chat=ChatDecl(kind="shout", name="on-call", url="http://127.0.0.1:1", **more))
    return targets.declared_targets()["chat:on-call"]


def row_of(incident: Incident) -> Outbox:
    return Outbox.objects.get(object=str(incident.pk))


def claimed(target: Target, clock: ManualClock, *incidents: Incident) -> list[Pending]:
    rows = outbox.claim([row_of(one).pk for one in incidents], clock())
    return dedup.pending(
        target, sorted(rows, key=lambda row: [str(i.pk) for i in incidents].index(row.object)), clock()
    )


def new(name: str, severity: Severity = Severity.HIGH) -> Incident:
    made = an_incident(name, severity=severity)
    judged(made, CAUSE)
    return made


def sent(incident: Incident, clock: ManualClock, dry_run: bool = False, **state: Any) -> None:
    kept = {"judged": True, "cause": CAUSE} | state
    Outbox.objects.filter(object=str(incident.pk)).update(
        first_at=clock() - timedelta(days=1), last_sent={"dry_run": dry_run, "standing": kept}
    )


def numbers(messages: list[storm.Message]) -> list[list[int]]:
    return [[one.snapshot.number for one in message] for message in messages]


def test_what_is_pending_carries_its_reason_its_state_and_its_labels(clock: ManualClock) -> None:
    target, incident = a_target(), new("p1")
    tickets.put(str(incident.pk), target.name, "T-1", "http://t/1")
    (one,) = claimed(target, clock, incident)
    assert (one.reason, one.state.cause, one.snapshot.id) == (Reason.VERDICT, CAUSE, str(incident.pk))
    assert sorted(one.labels) == ["ALERT{p1}", "T-1"] and row_of(incident).state == "waiting"


def test_an_incident_without_tickets_has_no_labels(clock: ManualClock) -> None:
    target, incident = a_target(), new("p1")
    tickets.keys_at(target.name, [str(incident.pk)]).delete()
    (one,) = claimed(target, clock, incident)
    assert one.labels == ()


def test_rows_of_which_nothing_is_to_be_told_are_done(clock: ManualClock) -> None:
    target, judged_one, unjudged, same = a_target(), new("p1"), an_incident("p2"), new("p3")
    sent(same, clock)
    Outbox.objects.create(target=target.name, object=str(unjudged.pk), next_at=clock())
    gone = Outbox.objects.create(target=target.name, object="00000000-0000-0000-0000-000000000000", next_at=clock())
    rows = outbox.claim([*(row_of(i).pk for i in (judged_one, unjudged, same)), gone.pk], clock())
    found = dedup.pending(target, rows, clock())
    assert [one.snapshot.id for one in found] == [str(judged_one.pk)]
    assert sorted(Outbox.objects.values_list("state", flat=True)) == ["done", "done", "done", "waiting"]


@pytest.mark.parametrize(
    ("mode", "dry_run", "reason"),
    [
        ("send", True, Reason.VERDICT),
        ("send", False, Reason.CAUSE_CHANGED),
        ("dry-run", True, Reason.CAUSE_CHANGED),
        ("dry-run", False, Reason.CAUSE_CHANGED),
    ],
)
def test_a_dry_run_has_sent_nothing_to_a_target_that_is_live_now(
    mode: str, dry_run: bool, reason: Reason, clock: ManualClock
) -> None:
    target, incident = a_target(mode=mode), new("p1")
    sent(incident, clock, dry_run, cause="dns-failure")
    (one,) = claimed(target, clock, incident)
    assert one.reason is reason


def test_a_target_that_edits_follows_every_revision(clock: ManualClock) -> None:
    target, incident = a_target(), new("p1")
    sent(incident, clock)
    editing = replace(target, system=replace(target.system, edits=True))
    (one,) = claimed(editing, clock, incident)
    assert one.reason is Reason.UPDATED


def test_a_target_without_a_least_severity_gets_all(clock: ManualClock) -> None:
    target, incident = a_target(min_severity="critical"), new("p1", Severity.INFO)
    bare = replace(target, declared=SimpleNamespace(mode="send"))
    assert len(claimed(bare, clock, incident)) == 1


def test_a_target_without_a_limit_has_no_storm(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1)
    bare = replace(target, declared=SimpleNamespace(mode="send"))
    pending = claimed(bare, clock, *(new(f"p{n}") for n in range(3)))
    assert [len(message) for message in storm.group(bare, pending, clock())] == [1, 1, 1]


@pytest.mark.parametrize(("limit", "sizes"), [(2, [3]), (3, [1, 1, 1]), (4, [1, 1, 1])])
def test_more_than_the_limit_become_one_message(limit: int, sizes: list[int], clock: ManualClock) -> None:
    target = a_target(storm_incidents=limit)
    pending = claimed(target, clock, *(new(f"p{n}") for n in range(3)))
    assert [len(message) for message in storm.group(target, pending, clock())] == sizes


@pytest.mark.parametrize(("minutes_ago", "sizes"), [(4.9, [2]), (5.1, [1, 1])])
def test_what_was_sent_within_the_minutes_counts_too(minutes_ago: float, sizes: list[int], clock: ManualClock) -> None:
    target = a_target(storm_incidents=2, storm_minutes=5.0)
    earlier, *two = (new(f"p{n}") for n in range(3))
    sent(earlier, clock)
    Outbox.objects.filter(object=str(earlier.pk)).update(
        first_at=clock() - timedelta(minutes=minutes_ago), state="done"
    )
    pending = claimed(target, clock, *two)
    assert [len(message) for message in storm.group(target, pending, clock())] == sizes


def test_a_digest_comes_first_takes_in_what_waits_and_puts_the_worst_first(clock: ManualClock) -> None:
    target = a_target(storm_incidents=3)
    severities = (Severity.HIGH, Severity.WARNING, Severity.CRITICAL, Severity.HIGH)
    one, two, three, four = (new(f"p{n}", severity) for n, severity in enumerate(severities))
    old = new("old")
    sent(old, clock, cause="dns-failure")
    later = Outbox.objects.filter(object=str(one.pk))
    later.update(next_at=clock() + timedelta(minutes=30))
    pending = claimed(target, clock, old, four, two)
    assert numbers(storm.group(target, pending, clock())) == [
        [three.number, one.number, four.number, two.number], [old.number],
    ]  # fmt: skip


def test_where_nothing_new_was_claimed_what_waits_is_left_alone(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1)
    old, *_ = (new(f"p{n}") for n in range(4))
    sent(old, clock, cause="dns-failure")
    assert numbers(storm.group(target, claimed(target, clock, old), clock())) == [[old.number]]
    assert TargetStatus.objects.filter(digest_at__isnull=False).count() == 0


def test_what_a_dry_run_would_have_sent_before_is_not_new(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1, mode="dry-run")
    incidents = [new(f"p{n}") for n in range(3)]
    for incident in incidents:
        sent(incident, clock, dry_run=True, cause="dns-failure")
    Outbox.objects.update(first_at=None)
    assert [len(m) for m in storm.group(target, claimed(target, clock, *incidents), clock())] == [1, 1, 1]


def test_a_row_that_was_told_before_is_never_part_of_a_digest(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1)
    incidents = [new(f"p{n}") for n in range(3)]
    for incident in incidents:
        sent(incident, clock, cause="dns-failure")
    assert [len(m) for m in storm.group(target, claimed(target, clock, *incidents), clock())] == [1, 1, 1]
    Outbox.objects.update(last_sent={}, state="waiting", claimed_until=None)
    pending = claimed(target, clock, *incidents)
    assert {one.reason for one in pending} == {Reason.VERDICT}
    assert [len(m) for m in storm.group(target, pending, clock())] == [1, 1, 1]


def test_while_the_last_digest_is_fresh_everything_new_is_given_back(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1, storm_minutes=5.0)
    due = clock() + timedelta(minutes=3)
    TargetStatus.objects.create(name=target.name, digest_at=due)
    one, two, old = new("p1"), new("p2"), new("old")
    sent(old, clock, cause="dns-failure")
    pending = claimed(target, clock, one, old)
    assert numbers(storm.group(target, pending, clock())) == [[old.number]]
    assert {row_of(i).next_at for i in (one, two)} == {due}
    assert row_of(one).claimed_until is None and row_of(one).attempts == 0
    assert row_of(old).claimed_until is not None


def test_one_alone_at_the_beginning_of_a_storm_waits_for_the_others_and_two_do_not(clock: ManualClock) -> None:
    target = a_target(storm_incidents=1, storm_minutes=5.0)
    earlier, one, two = (new(f"p{n}") for n in range(3))
    sent(earlier, clock)
    Outbox.objects.filter(object=str(earlier.pk)).update(first_at=clock() - timedelta(minutes=1), state="done")
    second = Outbox.objects.filter(object=str(two.pk))
    second.update(state="done")
    assert storm.group(target, claimed(target, clock, one), clock()) == []
    assert row_of(one).next_at == clock() + targets.GATHER
    TargetStatus.objects.all().delete()
    second.update(state="waiting")
    clock.move(minutes=2)
    assert numbers(storm.group(target, claimed(target, clock, one), clock())) == [[one.number, two.number]]


def test_a_message_that_is_given_back_is_due_again_untried(clock: ManualClock) -> None:
    target, one, two = a_target(), new("p1"), new("p2")
    pending = claimed(target, clock, one, two)
    later = clock() + timedelta(minutes=7)
    storm.release(pending, later)
    assert set(Outbox.objects.values_list("next_at", "claimed_until", "attempts")) == {(later, None, 0)}
