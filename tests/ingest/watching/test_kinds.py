"""Each kind of failure is its own alert, with a rule that opens it and one that ends it."""

from typing import Any

import pytest

from domain.alerts import Family, Severity
from tests.ingest.watching.alerts import (
    alerts_of,
    event_of,
    meets,
    node_changes,
    node_of,
    parsed,
    pod_changes,
    pod_of,
    reported,
    watching,
)

WEB, OWNER = "web5-5f6d7c8b9-aaaaa", ("ReplicaSet", "web5-5f6d7c8b9")
ABOUT = ("Pod", "shop2", WEB)
PULL = 'Back-off pulling image "registry.example/web:1.2.3": ErrImagePull: not found'
NO_PLACE = "0/3 nodes are available: 1 node(s) had untolerated taint {x: }, 2 Insufficient cpu."
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 40Mi."


def waiting_pod(**more: Any) -> dict[str, Any]:
    return pod_of("shop2", WEB, OWNER, **more)


def test_an_image_that_cannot_be_pulled_is_no_crash() -> None:
    (alert,) = alerts_of(watching([waiting_pod()], [event_of(ABOUT, "BackOff", PULL)]))
    assert alert.title == (
        'Image of shop2/web5 cannot be pulled: "registry.example/web:1.2.3": ErrImagePull: not found'
    )
    assert (alert.name, alert.severity, alert.family) == ("ImagePullFails", Severity.HIGH, Family.POD)
    assert alert.annotations["message_1"] == PULL


@pytest.mark.parametrize(
    ("reason", "message", "name"),
    [
        ("BackOff", "Back-off restarting failed container app in pod web5_shop2(1)", "ContainerBackOff"),
        ("BackOff", 'Back-off pulling image "web:2"', "ImagePullFails"),
        ("Failed", 'Failed to pull image "web:2": rpc error: code = NotFound desc = not found', "ImagePullFails"),
        ("Failed", "Error: ErrImagePull", "ImagePullFails"),
        ("Failed", "Error: ImagePullBackOff", "ImagePullFails"),
        ("InspectFailed", 'Failed to apply default image tag "web::2": cannot parse', "ImagePullFails"),
        ("ErrImageNeverPull", 'Container image "web:2" is not present with pull policy of Never', "ImagePullFails"),
        ("Failed", 'Error: configmap "web" not found', "ContainerStartFails"),
        ("Failed", 'Error: failed to create containerd task: exec: "run": no such file', "ContainerStartFails"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "config"', "VolumeMountFails"),
        ("FailedAttachVolume", "Multi-Attach error for volume", "VolumeAttachFails"),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: plugin type=calico failed", "PodFailedCreatePodSandBox"),
        ("FailedPostStartHook", "PostStartHook failed", "PodFailedPostStartHook"),
        ("Evicted", LOW, "PodEvicted"),
    ],
)  # fmt: skip
def test_each_kind_of_event_is_its_own_alert(reason: str, message: str, name: str) -> None:
    (alert,) = alerts_of(watching([waiting_pod()], [event_of(ABOUT, reason, message)]))
    assert alert.name == name and alert.annotations["message_1"] == message
    assert alert.subject is not None and alert.subject.key == "Workload/prod-a/shop2/web5"
    assert alert.family is (Family.STORAGE if name.startswith("Volume") else Family.POD)


def test_the_title_of_an_image_names_the_cause_and_not_the_last_event() -> None:
    texts = ('Failed to pull image "web:2": rpc error: code = Unknown desc = no basic auth credentials',
             "Error: ErrImagePull", 'Back-off pulling image "web:2"', "Error: ImagePullBackOff")  # fmt: skip
    events = [event_of(ABOUT, "Failed", text, last=n - 9) for n, text in enumerate(texts)]
    (alert,) = alerts_of(watching([waiting_pod()], events))
    assert alert.title.endswith('"web:2": rpc error: code = Unknown desc = no basic auth credentials')
    assert len([key for key in alert.annotations if key.startswith("message_")]) == 4


def test_an_image_that_is_pulled_at_the_second_attempt_opens_nothing() -> None:
    one = event_of(ABOUT, "BackOff", PULL, count=1, first=0, last=0)
    state = watching([waiting_pod(waiting="ImagePullBackOff")], [one])
    pod_changes(state, waiting_pod(waiting="ContainerCreating"), 20)
    assert not reported(state, range(200))


def test_one_event_is_enough_while_the_container_still_waits_for_its_image_and_it_ends_with_the_wait() -> None:
    one = event_of(ABOUT, "BackOff", PULL, count=1, first=0, last=0)
    state = watching([waiting_pod(waiting="ImagePullBackOff")], [one])
    assert [(s, m.state) for s, m in reported(state, range(900))] == [(30, "firing")]
    pod_changes(state, waiting_pod(), 900)
    assert [m.state for _, m in reported(state, [900])] == ["resolved"]


def unplaced(name: str = WEB) -> dict[str, Any]:
    return pod_of("shop2", name, OWNER, node="")


def test_a_pod_that_waits_for_its_place_during_a_rollout_opens_nothing() -> None:
    names = [f"web5-5f6d7c8b9-{letter * 5}" for letter in "abc"]
    events = [event_of(("Pod", "shop2", n), "FailedScheduling", NO_PLACE, count=2, first=0, last=9) for n in names]
    state = watching(map(unplaced, names), events)
    for name in names:
        pod_changes(state, pod_of("shop2", name, OWNER), 25)
    assert not reported(state, range(300))


def test_a_pod_that_cannot_be_scheduled_is_an_alert_until_it_has_a_node() -> None:
    one = event_of(ABOUT, "FailedScheduling", NO_PLACE, count=1, first=0, last=0, path="")
    state = watching([unplaced()], [one])
    ((second, message),) = reported(state, range(1000))
    alert = parsed(message)
    assert second == 30 and alert.title.startswith("Pod of shop2/web5 cannot be scheduled: 0/3 nodes are available: ")
    assert (alert.name, alert.family, alert.severity) == ("PodUnschedulable", Family.CAPACITY, Severity.WARNING)
    pod_changes(state, waiting_pod(), 1001)
    assert [m.state for _, m in reported(state, [1001])] == ["resolved"]


@pytest.mark.parametrize(("age", "expected"), [(-3000, ["firing"]), (-4000, [])])
def test_what_lasted_before_the_watch_is_reported_as_long_as_its_event_is_kept(age: float, expected: list[str]) -> None:
    old = event_of(ABOUT, "FailedScheduling", NO_PLACE, count=9, first=-9000, last=age)
    assert [m.state for _, m in reported(watching([unplaced()], [old]), range(60))] == expected


def test_an_eviction_is_an_alert_about_the_workload_and_names_its_one_node() -> None:
    ended = waiting_pod()
    ended["status"] = {"phase": "Failed", "reason": "Evicted"}
    state = watching([ended], [event_of(ABOUT, "Evicted", LOW, count=1, first=0, last=0)])
    ((second, message),) = reported(state, range(200))
    alert = parsed(message)
    assert second == 2 and alert.title.startswith(
        "Pod of shop2/web5 was evicted: The node was low on resource: memory."
    )
    assert [e.key for e in alert.entities] == [
        "Workload/prod-a/shop2/web5", f"Pod/prod-a/shop2/{WEB}", "Host/prod-a//worker-1",
    ]  # fmt: skip
    assert alert.family is Family.POD
    assert [m.state for _, m in reported(state, range(200, 400))] == ["resolved"]


def test_evictions_from_two_nodes_name_no_node() -> None:
    other = "web5-5f6d7c8b9-bbbbb"
    pods = [waiting_pod(), pod_of("shop2", other, OWNER, node="worker-2")]
    events = [event_of(("Pod", "shop2", name), "Evicted", LOW) for name in (WEB, other)]
    (alert,) = alerts_of(watching(pods, events))
    assert not [e for e in alert.entities if e.kind == "Host"] and "node" not in alert.labels


NODE = ("Node", "", "worker-1")
AWAY = "Node worker-1 status is now: NodeNotReady"
WHY = "Kubelet stopped posting node status."


def test_a_node_that_is_not_ready_is_an_alert_about_the_host_until_it_is_ready() -> None:
    one = event_of(NODE, "NodeNotReady", AWAY, count=1, first=0, last=0)
    state = watching([waiting_pod()], [one], [node_of("worker-1", ready=False, why=WHY)])
    meets(state, event_of(ABOUT, "NodeNotReady", "Node is not ready", count=1, first=1, last=1, path=""))
    ((second, message),) = reported(state, range(2000))
    alert = parsed(message)
    assert (second, alert.title) == (30, f"Node worker-1 is not ready: {WHY}")
    assert [e.key for e in alert.entities] == ["Host/prod-a//worker-1"] and alert.subject == alert.entities[0]
    assert (alert.family, alert.severity, alert.labels["node"]) == (Family.NODE, Severity.HIGH, "worker-1")
    assert {alert.annotations[f"message_{n}"] for n in (1, 2, 3)} == {AWAY, "Node is not ready", WHY}
    node_changes(state, node_of("worker-1", since=2001), 2001)
    ((_, over),) = reported(state, [2001])
    assert over.state == "resolved" and over.ended is not None and over.ended > message.last


def test_a_node_that_is_away_for_a_moment_opens_nothing() -> None:
    state = watching(
        [], [event_of(NODE, "NodeNotReady", AWAY, count=1, first=0, last=0)], [node_of("worker-1", ready=False)]
    )
    node_changes(state, node_of("worker-1"), 20)
    assert not reported(state, range(400))


def test_a_node_that_is_removed_ends_its_alert() -> None:
    one = event_of(NODE, "NodeNotReady", AWAY, count=1, first=0, last=0)
    state = watching([], [one], [node_of("worker-1", ready=False)])
    assert [m.state for _, m in reported(state, range(400))] == ["firing"]
    node_changes(state, node_of("worker-1", ready=False), 400, "DELETED")
    assert [m.state for _, m in reported(state, [400])] == ["resolved"]


@pytest.mark.parametrize(
    ("reason", "condition", "name"),
    [
        ("NodeHasDiskPressure", "DiskPressure", "NodeDiskPressure"),
        ("NodeHasInsufficientMemory", "MemoryPressure", "NodeMemoryPressure"),
        ("NodeHasInsufficientPID", "PIDPressure", "NodePIDPressure"),
    ],
)
def test_a_node_under_pressure_is_an_alert_while_its_condition_holds(reason: str, condition: str, name: str) -> None:
    one = event_of(NODE, reason, f"Node worker-1 status is now: {reason}", count=1, first=0, last=0)
    state = watching([], [one], [node_of("worker-1", **{condition: "it runs out"})])
    ((_, message),) = reported(state, range(400))
    assert parsed(message).name == name and parsed(message).title.endswith(": it runs out")
    node_changes(state, node_of("worker-1"), 400)
    assert [m.state for _, m in reported(state, [400])] == ["resolved"]


def test_without_the_permission_to_list_nodes_their_events_open_nothing() -> None:
    state = watching([], [event_of(NODE, "NodeNotReady", AWAY)])
    assert not reported(state, range(300))


QUOTA = 'Error creating: pods "web5-5f6d7c8b9-x" is forbidden: exceeded quota: compute, requested: cpu=2, used: cpu=9'
HOOK = 'Error creating: admission webhook "policy.example" denied the request: no owner label'


@pytest.mark.parametrize(
    ("about", "message", "title", "family"),
    [
        (("ReplicaSet", "shop2", "web5-5f6d7c8b9"), QUOTA, "Pods of shop2/web5 cannot be created: pods", Family.CAPACITY),
        (("Job", "shop2", "report-29345760"), HOOK, "Pods of shop2/report cannot be created: admission", Family.WORKLOAD),
        (("DaemonSet", "shop2", "agent"), HOOK, "Pods of shop2/agent cannot be created: admission", Family.WORKLOAD),
    ],
)  # fmt: skip
def test_pods_that_a_controller_cannot_create_are_an_alert_about_the_workload(
    about: tuple[str, str, str], message: str, title: str, family: Family
) -> None:
    state = watching([], [event_of(about, "FailedCreate", message)])
    (alert,) = alerts_of(state)
    assert alert.title.startswith(title) and alert.family is family
    assert [e.kind for e in alert.entities] == ["Workload"]
    assert not reported(state, range(1000)), "the controller tries again only now and then"
    assert [m.state for _, m in reported(state, range(1000, 1300))] == ["resolved"]


def test_a_pod_that_cannot_be_stopped_counts_although_it_is_being_deleted() -> None:
    going = waiting_pod()
    going["metadata"] |= {"deletionTimestamp": "2026-11-25T15:50:00Z", "deletionGracePeriodSeconds": 30}
    state = watching([going], [event_of(ABOUT, "FailedKillPod", "error killing pod: context deadline exceeded")])
    assert [a.title for a in alerts_of(state)] == [
        "Pod of shop2/web5 cannot be stopped: error killing pod: context deadline exceeded"
    ]


def test_a_hook_that_fails_in_the_first_minute_counts() -> None:
    young = waiting_pod()
    young["status"]["containerStatuses"] = [
        {"name": "app", "state": {"running": {"startedAt": "2026-11-25T15:59:50Z"}}}
    ]
    hook = event_of(ABOUT, "FailedPostStartHook", "PostStartHook failed", count=3, first=-9, last=-3)
    assert [a.name for a in alerts_of(watching([young], [hook]))] == ["PodFailedPostStartHook"]
