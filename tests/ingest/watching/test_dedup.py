"""When events become an alert, as a table; and what is made of an alert that was told."""

from typing import Any

import pytest

from ingest.events.message import EventGroupMessage
from ingest.watching.state import WatchState
from tests.ingest.watching.made import DEADLINE, at, event, pod

A, B, C = (f"cart-7d9f8b6c5-{letter * 5}" for letter in "abc")
LIVENESS = "Liveness probe failed: HTTP probe failed with statuscode: 503"
KILLED = "Container app failed liveness probe, will be restarted"
MOUNT = 'MountVolume.SetUp failed for volume "config": configmap "cart" not found'


def observed(second: float, name: str = A, count: int = 1, **more: Any) -> tuple[float, Any]:
    """One event that the watch brings at that second."""
    return second, event(name, second, count, **more)


def pod_seen(second: float, name: str = A, change: str = "MODIFIED", **more: Any) -> tuple[float, Any]:
    return second, (change, pod(name, **more))


def played(
    *script: tuple[float, Any], until: float = 130, state: WatchState | None = None
) -> list[tuple[int, EventGroupMessage]]:
    """The script through a ledger that is asked every second; what was told, with the second."""
    state = state or healthy()
    reported: list[tuple[int, EventGroupMessage]] = []
    waiting = sorted(script, key=lambda step: step[0])
    for second in range(int(until) + 1):
        while waiting and waiting[0][0] <= second:
            _, what = waiting.pop(0)
            if isinstance(what, tuple):
                state.pod_changed(*what, at(second))
            else:
                state.event_changed("MODIFIED", what, at(second))
        reported += [(second, message) for message in state.step(at(second))]
    return reported


def healthy() -> WatchState:
    state = WatchState("prod-a")
    state.pods_listed([pod(A), pod(B), pod(C)], at(-1))
    return state


BACKOFF = {"reason": "BackOff", "message": "Back-off restarting failed container app"}
STOP = {"reason": "Killing", "message": "Stopping container app"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([observed(1)], [], id="one slow second opens nothing"),
        pytest.param([observed(1), observed(2, B), observed(2, C)], [], id="nor does one slow second of all pods"),
        pytest.param([observed(1), observed(11, count=2)], [], id="nor do two failures next to each other"),
        pytest.param([observed(1), observed(11, count=2), observed(21, count=3)], [(23, "firing")], id="three failures in a row"),
        pytest.param([observed(1), observed(8, B), observed(15, C)], [(17, "firing")], id="three pods of one workload"),
        pytest.param([observed(1), observed(61, count=2)], [(63, "firing")], id="a slow probe that fails twice"),
        pytest.param([observed(1), observed(128, count=2)], [], id="two failures far from each other"),
        pytest.param([observed(9, count=4, first=1)], [(11, "firing")], id="an event that already counts four"),
        pytest.param([observed(9, count=40, first=-4000)], [], id="an old event of which only the last count is new"),
        pytest.param([observed(1), observed(6, reason="Killing", message=KILLED)], [(8, "firing")], id="a restart by a probe"),
        pytest.param([observed(1, **BACKOFF)], [(3, "firing")], id="a back-off alone"),
        pytest.param([observed(1, **STOP), observed(40, **STOP)], [], id="a container that was told to stop"),
        pytest.param(
            [observed(n, reason="FailedMount", message=MOUNT, count=i) for i, n in enumerate((1, 3, 9), 1)],
            [(11, "firing")], id="a volume that cannot be mounted",
        ),
        pytest.param(
            [pod_seen(0, deleted_at=0), *(observed(n, count=n) for n in range(1, 28))],
            [], id="readiness that fails after the deletion",
        ),
        pytest.param(
            [observed(0, **STOP), *(observed(n, count=n) for n in range(1, 28))],
            [], id="the same when only the kubelet told of the deletion",
        ),
        pytest.param(
            [pod_seen(0, ready=False, started=0, ready_at=0), *(observed(n, count=n) for n in range(1, 50))],
            [], id="readiness in the first minute of a container",
        ),
        pytest.param(
            [pod_seen(0, ready=False, started=0, ready_at=0), *(observed(n * 10, count=n) for n in range(1, 11))],
            [(92, "firing")], id="readiness that still fails after the first minute",
        ),
        pytest.param(
            [pod_seen(0, started=0), observed(20, reason="Killing", message=KILLED)],
            [(22, "firing")], id="a restart by the probe in the first minute",
        ),
        pytest.param(
            [observed(1), observed(2, message=LIVENESS), observed(9, count=2), observed(9, message=LIVENESS, count=2)],
            [], id="readiness and liveness are two groups",
        ),
    ],
)  # fmt: skip
def test_events_open_when_they_are_enough(script: list[tuple[float, Any]], expected: list[tuple[int, str]]) -> None:
    assert [(second, reported.state) for second, reported in played(*script)] == expected


THREE = (observed(1), observed(11, count=2), observed(21, count=3))


def test_the_message_names_workload_pods_and_reason_and_what_it_counted() -> None:
    ((_, reported),) = played(observed(1), observed(8, B), observed(15, C), observed(16, B, count=2))
    assert (reported.workload.kind, reported.workload.name, reported.namespace, reported.cluster) == (
        "Deployment",
        "cart",
        "shop",
        "prod-a",
    )
    assert ([p.name for p in reported.pods], {p.node for p in reported.pods}) == ([A, B, C], {"node-1"})
    assert (reported.first, reported.last, reported.count, reported.messages) == (at(1), at(16), 4, [DEADLINE])


def test_within_the_repeat_interval_nothing_more_is_reported_and_after_it_once() -> None:
    going_on = [observed(n, count=n // 10 + 1) for n in range(31, 700, 10)]
    reported = played(*THREE, *going_on, until=640)
    assert [(second, t.state) for second, t in reported] == [(23, "firing"), (323, "firing"), (623, "firing")]
    assert {t.first for _, t in reported} == {at(1)}


def test_it_is_resolved_after_five_minutes_of_silence_when_the_pods_are_ready() -> None:
    reported = played(*THREE, pod_seen(25, ready=True, ready_at=25), until=700)
    assert [(second, t.state) for second, t in reported] == [(23, "firing"), (321, "resolved")]
    assert reported[1][1].ended == at(25) and reported[1][1].first == reported[0][1].first


def test_a_pod_that_stays_unready_keeps_it_open_although_the_kubelet_reports_no_more() -> None:
    unready = pod_seen(20, ready=False, ready_at=20)
    reported = played(*THREE, unready, pod_seen(900, ready=True, ready_at=900), until=1000)
    assert [(second, t.state) for second, t in reported] == [(23, "firing"), (900, "resolved")]


@pytest.mark.parametrize("last", [{"change": "DELETED", "ready": False}, {"deleted_at": 30, "ready": False}])
def test_a_pod_that_is_gone_or_going_holds_nothing_open(last: dict[str, Any]) -> None:
    reported = played(*THREE, pod_seen(20, ready=False), pod_seen(30, **last), until=400)
    assert [(second, t.state) for second, t in reported] == [(23, "firing"), (321, "resolved")]


def test_what_failed_after_the_deletion_is_marked_as_such() -> None:
    going = [pod_seen(30, deleted_at=30), *(observed(n, count=3 + n - 30) for n in range(31, 36))]
    reported = played(*THREE, *going, until=330)
    assert [t.state for _, t in reported] == ["firing", "firing"]
    assert [t.after_deletion for _, t in reported] == [0, 5]


def test_after_the_end_a_new_beginning_is_another_episode() -> None:
    again = [observed(n, count=c) for c, n in enumerate((401, 411, 421), 4)]
    reported = played(*THREE, *again, until=430)
    assert [t.state for _, t in reported] == ["firing", "resolved", "firing"]
    assert reported[2][1].first == at(401)


def test_the_same_events_again_change_nothing() -> None:
    state = healthy()
    twice = [step for step in THREE for _ in range(3)]
    ((_, reported),) = played(*twice, state=state)
    assert reported.count == 3
    state.events_listed([event(A, 21, 3, first=1)], at(131))
    assert not state.step(at(140))


def test_the_next_holder_reports_nothing_twice_and_resolves_what_was_reported() -> None:
    first = healthy()
    ((_, reported),) = played(*THREE, state=first, until=30)
    second = WatchState("prod-a", first.dump())
    second.pods_listed([pod(A), pod(B), pod(C)], at(31))
    second.events_listed([event(A, 21, 3, first=1)], at(31))
    later = [(s, t) for s in range(32, 400) for t in second.step(at(s))]
    assert [(s, t.state, t.first, t.count) for s, t in later] == [(321, "resolved", reported.first, 3)]


def test_more_events_meanwhile_are_reported_by_the_next_holder() -> None:
    first = healthy()
    played(*THREE, state=first, until=30)
    second = WatchState("prod-a", first.dump())
    second.pods_listed([pod(A, ready=False)], at(60))
    second.events_listed([event(A, 51, 6, first=1)], at(60))
    later = [(s, t) for s in range(61, 400) for t in second.step(at(s))]
    assert [(s, t.state, t.last) for s, t in later] == [(323, "firing", at(51))]


def test_pods_that_a_new_list_does_not_hold_are_gone() -> None:
    state = healthy()
    played(*THREE, pod_seen(20, ready=False), state=state, until=25)
    state.pods_listed([pod(B)], at(26))
    assert [t.state for s in range(27, 330) for t in state.step(at(s))] == ["resolved"]


def test_the_number_of_groups_is_bounded() -> None:
    state = WatchState("prod-a")
    for number in range(600):
        state.event_changed("ADDED", event(f"job-{number}", 1, **BACKOFF), at(1))
    assert len(state.step(at(5))) == 500


@pytest.mark.parametrize(
    ("listed", "unready", "reported"),
    [
        (event(A, -200, 31, first=-2400), True, ["firing"]),
        (event(A, -200, 31, first=-2400), False, []),
        (event(A, -700, 31, first=-2400), True, []),
        (event(A, -200, 2, first=-2400), True, []),
        (event(A, -200, 31, first=-2400, reason="FailedMount"), True, []),
    ],
)
def test_a_failure_from_before_the_watch_is_reported_while_its_pod_is_not_ready(
    listed: Any, unready: bool, reported: list[str]
) -> None:
    state = WatchState("prod-a")
    state.pods_listed([pod(A, ready=not unready, ready_at=-2300)], at(0))
    state.events_listed([listed], at(0))
    found = [t for second in range(1, 60) for t in state.step(at(second))]
    assert [t.state for t in found] == reported
    assert not found or found[0].first == at(-2400)


def test_a_back_off_of_a_pod_that_is_being_deleted_opens_nothing() -> None:
    assert not played(pod_seen(0, deleted_at=0), observed(1, **BACKOFF))
