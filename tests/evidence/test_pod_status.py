"""What the pod's own status says where only the API answers, and what a rollout shows without a posted change."""

from dataclasses import replace
from typing import Any

from causes.catalogue import all_causes
from causes.rank import rank
from causes.steps import fitting
from evidence.check import Ask, run
from evidence.checks import all_checks
from tests.evidence.scene import POD, World, findings, iso, scope, seen

PODS, EVENTS = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/events"
OLD = "cart-5f7c6d8b9-abcde"


def condition(kind: str, status: str, since: float = -100, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "lastTransitionTime": iso(since), **more}


def container(name: str = "app", ready: bool = False, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "image": "a", "imageID": "b", **more}


def pod(name: str = POD, made: float = -100, image: str = "shop/cart:2", **status: Any) -> dict[str, Any]:
    names = [c["name"] for c in status.get("containerStatuses", [])] or ["app"]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name.rpartition("-")[0], "uid": "u"}
    return {
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": iso(made), "ownerReferences": [owner]},
        "spec": {"containers": [{"name": n, "image": image} for n in names]},
        "status": {"startTime": iso(made), **status},
    }


def seen_by(*pods: dict[str, Any], check: str = "pod-status") -> set[str]:
    return seen(findings(check, World(api={PODS: list(pods), EVENTS: []})))


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": iso(-30)}}


def test_a_crash_is_read_from_the_api_alone_with_its_container() -> None:
    status = container("proxy", restarts=3, lastState=ended(1), state={"waiting": {"reason": "CrashLoopBackOff"}})
    found = findings("pod-state", World(api={PODS: [pod(containerStatuses=[status])]}))
    assert {"pod-crashed", "pod-restarted", "pod-waiting"} <= seen(found)
    assert found["pod-crashed"].sentence.en == "Container proxy ended by itself with exit code 1."
    assert found["pod-oom-killed"].seen is False and found["pod-constant-age-restarts"].seen is None


def test_a_kill_for_memory_is_no_crash_and_a_kill_by_liveness_is_neither() -> None:
    killed = [container(restarts=1, lastState=ended(137, "OOMKilled"))]
    assert "pod-oom-killed" in seen_by(pod(containerStatuses=killed), check="pod-state")
    assert "pod-crashed" not in seen_by(pod(containerStatuses=killed), check="pod-state")
    alive = container(restarts=1, lastState=ended(137), state={"running": {"startedAt": iso(-5)}})
    old = pod(made=-900, containerStatuses=[alive])
    assert not {"pod-crashed", "pod-oom-killed", "pod-young"} & seen_by(old, check="pod-state")


def test_each_obstacle_before_a_start_is_told_apart() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    assert seen_by(pod(containerStatuses=[container(**waiting)])) == {"pod-image-waits"}
    missing = {"state": {"waiting": {"reason": "CreateContainerConfigError"}}}
    assert seen_by(pod(containerStatuses=[container(**missing)])) == {"pod-settings-missing"}
    start = {"state": {"waiting": {"reason": "RunContainerError"}}}
    assert seen_by(pod(containerStatuses=[container(**start)])) == {"pod-start-fails"}
    nowhere = condition("PodScheduled", "False", reason="Unschedulable", message="0/1 nodes: Insufficient memory")
    assert seen_by(pod(phase="Pending", conditions=[nowhere])) == {"pod-unschedulable"}
    assert seen_by(pod(phase="Failed", reason="Evicted", message="emptyDir exceeds 16Mi")) == {"pod-evicted"}


def test_an_init_container_that_runs_on_or_fails_holds_the_pod_back() -> None:
    for state in ({"running": {"startedAt": iso(-90)}}, ended(1), {"waiting": {"reason": "CrashLoopBackOff"}}):
        first = [container("wait", state=state)]
        held = pod(phase="Pending", initContainerStatuses=first, conditions=[condition("Initialized", "False")])
        assert seen_by(held) == {"pod-init-stuck"}


def test_a_readiness_gate_and_a_side_container_are_named() -> None:
    gated = pod(conditions=[condition("ContainersReady", "True"), condition("Ready", "False")])
    gated["spec"]["readinessGates"] = [{"conditionType": "target-health.example/web"}]
    assert seen_by(gated) == {"pod-gate-closed"}
    beside = [container("cart", ready=True), container("proxy")]
    half = pod(containerStatuses=beside, conditions=[condition("ContainersReady", "False")])
    found = findings("pod-status", World(api={PODS: [half]}))
    assert seen(found) == {"pod-sidecar-only"} and found["pod-sidecar-only"].subject == "proxy"
    both = pod(containerStatuses=[container("cart"), container("proxy")],
               conditions=[condition("ContainersReady", "False")])  # fmt: skip
    assert seen_by(both) == set()


def test_last_words_that_blame_the_configuration_are_read() -> None:
    words = "nginx: [emerg] unknown directive in /etc/nginx/nginx.conf:3"
    status = container(restarts=2, lastState=ended(1, message=words))
    assert seen_by(pod(containerStatuses=[status])) == {"pod-says-bad-settings"}


def test_pods_of_a_new_replica_set_that_fell_at_once_prove_a_rollout() -> None:
    old = pod(OLD, made=-3000, image="shop/cart:1", conditions=[condition("Ready", "True", -2990)])
    new = pod(made=-60, conditions=[condition("Ready", "False", -60)])
    world = World(api={PODS: [old, new], EVENTS: []})
    assert {"change-guilty", "rollout-in-progress"} <= seen(findings("surroundings", world))
    assert seen(findings("rollout", world)) == {"rollout-changed-image"}
    everything = [f for check in all_checks() for f in run(check, Ask(scope(), world, check.before))]
    assert rank(scope(), everything).causes[0].cause == "recent-deploy"


def test_a_rollout_whose_pods_were_ready_for_long_is_not_guilty() -> None:
    old = pod(OLD, made=-3000, conditions=[condition("Ready", "True", -2990)])
    new = pod(made=-600, conditions=[condition("Ready", "False", -10)])
    assert "change-guilty" not in seen(findings("surroundings", World(api={PODS: [old, new]})))
    early = pod(OLD, made=-3000, conditions=[condition("Ready", "False", -2000)])
    assert findings("surroundings", World(api={PODS: [early, new]}))["change-guilty"].seen is False


def test_new_pods_with_the_same_image_and_other_settings_are_a_change_of_settings() -> None:
    old, new = pod(OLD, made=-3000), pod(made=-60)
    new["spec"]["containers"][0]["env"] = [{"name": "CACHE", "value": "10"}]
    assert seen_by(old, new, check="rollout") == {"rollout-changed-settings"}
    assert seen_by(pod(made=-60), check="rollout") == set()


def test_another_probe_is_no_setting_that_the_container_reads() -> None:
    old, new = pod(OLD, made=-3000), pod(made=-60)
    new["spec"]["containers"][0]["readinessProbe"] = {"grpc": {"port": 8080}}
    assert seen_by(old, new, check="rollout") == {"rollout-changed-probe"}


def test_the_image_of_known_software_takes_gos_own_steps_away() -> None:
    assert seen_by(pod(image="docker.io/library/redis:7.2@sha256:0"), check="pod-status") == {"image-not-go"}
    assert seen_by(pod(image="shop/api:2"), check="pod-status") == set()
    found = findings("pod-status", World(api={PODS: [pod(image="nginx:1.22")]}))
    steps = all_causes()["handler-blocked-on-dependency"].next_steps
    assert len(fitting(steps, found)) == len(steps) - 1
    goes = {**found, "go-goroutines-rising": replace(found["image-not-go"], measure="go-goroutines-rising", seen=False)}
    assert fitting(steps, goes) == steps == fitting(steps, {})
