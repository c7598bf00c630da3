"""What the Kubernetes API tells: events, probe settings, endpoints, nodes, rollouts; and what it does not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.connections import Connections, KubernetesDecl
from tests.evidence.scene import NOON, POD, World, findings, iso, scope, seen

PODS = "/api/v1/namespaces/shop/pods"
EVENTS = "/api/v1/namespaces/shop/events"
GET = 'Readiness probe failed: Get "http://10.0.0.7:8080/healthz": '


def event(
    message: str, first: float = -20, last: float = 20, reason: str = "Unhealthy", pod: str = POD
) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{pod}.1", "namespace": "shop"}, "reason": reason, "message": message, "count": 7,
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": "shop"}, "type": "Warning",
        "firstTimestamp": iso(first), "lastTimestamp": iso(last),
    }  # fmt: skip


def test_an_event_is_seen_with_its_time_and_is_not_called_a_count_of_failures() -> None:
    world = World(api={EVENTS: [event(GET + "dial tcp 10.0.0.7:8080: connect: connection refused")]})
    found = findings("kubelet-events", world)
    assert seen(found) == {"event-refused"}
    finding = found["event-refused"]
    assert finding.first_seen_at == NOON - timedelta(seconds=20) and finding.query == f"GET {EVENTS}"
    assert "not a count of failures" in finding.sentence.en and finding.items[0].note == "x7"
    assert found["event-deadline"].seen is False


def test_events_of_other_pods_of_another_time_or_after_the_look_are_left_out() -> None:
    text = GET + "EOF"
    world = World(api={EVENTS: [event(text, pod="search-1"), event(text, -9000, -8000), event(text, 400, 400)]})
    assert not seen(findings("kubelet-events", world))


def test_new_style_events_without_old_timestamps_are_read() -> None:
    made = {**event("Container app failed liveness probe, will be restarted", reason="Killing"), "eventTime": iso(5)}
    made = {k: v for k, v in made.items() if k not in {"firstTimestamp", "lastTimestamp", "count"}}
    made["series"] = {"count": 3, "lastObservedTime": iso(30)}
    assert seen(findings("kubelet-events", World(api={EVENTS: [made]}))) == {"event-liveness-kill"}


def test_after_an_hour_no_events_is_unknown_and_not_absent() -> None:
    late = scope(as_of=NOON + timedelta(hours=3))
    found = findings("kubelet-events", World(api={EVENTS: []}), late)
    assert all(f.seen is None and "forgets" in str(f.why_unknown) for f in found.values())
    assert findings("kubelet-events", World(api={EVENTS: []}))["event-eof"].seen is False


def test_without_a_declared_api_its_checks_are_unknown_and_metrics_alone_must_do() -> None:
    about = scope()
    declared = Connections(prometheus=about.connections.prometheus, kubernetes=[KubernetesDecl(name="prod-a")])
    for slug in ("kubelet-events", "probe-spec"):
        found = findings(slug, World(), replace(about, connections=declared))
        assert all(f.seen is None and "not declared" in str(f.why_unknown) for f in found.values())


def test_the_api_of_another_cluster_is_not_asked() -> None:
    world = World(api={EVENTS: [event(GET + "EOF")]})
    declared = Connections(kubernetes=[KubernetesDecl(name="prod-b", api=True)])
    found = findings("kubelet-events", world, scope(connections=declared))
    assert not seen(found) and not world.asked and "prod-a" in str(found["event-eof"].why_unknown)


def probe(path: str = "/healthz", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, **more}


def pod(name: str = POD, spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    container = {"name": "app", "ports": [{"containerPort": 8080, "name": "http"}], **(spec or {})}
    return {"metadata": {"name": name, "namespace": "shop"},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 30}, "status": status}  # fmt: skip


def state(ready: bool = True, restarts: int = 0, **more: Any) -> dict[str, Any]:
    status = {"name": "app", "ready": ready, "restartCount": restarts, "image": "a", "imageID": "b", **more}
    return {"containerStatuses": [status]}


def ready_after(seconds: float) -> dict[str, Any]:
    running = state(state={"running": {"startedAt": iso(-600)}})
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": iso(-600 + seconds)}
    return {**running, "conditions": [condition]}


def killed_after(seconds: float, code: int = 137, reason: str = "Error") -> dict[str, Any]:
    ended = {"exitCode": code, "reason": reason, "startedAt": iso(-300), "finishedAt": iso(-300 + seconds)}
    return state(ready=False, restarts=2, lastState={"terminated": ended})


SHARED = {"readinessProbe": probe(), "livenessProbe": probe()}
APART = {"readinessProbe": probe("/readyz", timeoutSeconds=1), "livenessProbe": probe("/livez", timeoutSeconds=3),
         "startupProbe": probe("/livez", periodSeconds=2, failureThreshold=10),
         "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "status", "slugs"),
    [
        (SHARED, ready_after(3), {"spec-shared-endpoint", "spec-no-startup-probe", "spec-drain-short"}),
        (APART, ready_after(3), set()),
        (APART, ready_after(19), {"spec-startup-budget-short"}),
        (APART, killed_after(22), {"spec-startup-budget-short"}),
        ({**APART, "startupProbe": probe("/livez", periodSeconds=1)}, killed_after(300), set()),
        (APART, killed_after(22, reason="OOMKilled"), None),
        (APART, killed_after(22, code=1), None),
        (APART, killed_after(22, code=2), {"spec-startup-budget-short"}),
        ({**APART, "livenessProbe": probe("/livez", periodSeconds=2, failureThreshold=1)}, ready_after(3),
         {"spec-liveness-stricter"}),
        ({**APART, "readinessProbe": {"tcpSocket": {"port": 9999}}}, ready_after(3), {"spec-port-not-declared"}),
        ({**APART, "readinessProbe": {"tcpSocket": {"port": "web"}}, "ports": []}, ready_after(3),
         {"spec-port-not-declared"}),
        ({**APART, "lifecycle": {"preStop": {"sleep": {"seconds": 40}}}}, ready_after(3), {"spec-drain-short"}),
    ],
)  # fmt: skip
def test_a_probes_settings_are_held_against_what_was_measured(
    spec: dict[str, Any], status: dict[str, Any], slugs: set[str] | None
) -> None:
    found = findings("probe-spec", World(api={PODS: [pod(spec=spec, **status)]}))
    if slugs is None:
        assert found["spec-startup-budget-short"].seen is None
    else:
        assert seen(found) == slugs


def durations(world: World, within: str) -> World:
    for limit in ("0.005", "0.5", "1", "+Inf"):
        count = 600.0 if limit == "+Inf" or float(limit) >= float(within) else 0.0
        world.add("prober_probe_duration_seconds_bucket", lambda t, c=count: c * (t + 1800) / 2100, le=limit,
                  probe_type="Readiness", container="app")  # fmt: skip
    return world


@pytest.mark.parametrize(("within", "expected"), [("1", True), ("0.005", False)])
def test_a_time_out_near_the_latency_of_successful_probes_is_seen(within: str, expected: bool) -> None:
    found = findings("probe-spec", durations(World(api={PODS: [pod(spec=APART)]}), within))
    finding = found["spec-timeout-below-latency"]
    assert finding.seen is expected and finding.connection == "main"
    assert found["spec-shared-endpoint"].connection == "prod-a"


def test_settings_are_known_though_the_metrics_are_not() -> None:
    found = findings("probe-spec", World(api={PODS: [pod(spec=SHARED)]}))
    assert found["spec-shared-endpoint"].seen is True
    assert found["spec-timeout-below-latency"].seen is None
    assert found["spec-startup-budget-short"].seen is None


@pytest.mark.parametrize("slug", ["kubelet-events", "probe-spec"])
@pytest.mark.parametrize(
    "world",
    [World(status=403), World(status=500), World(body=b"<html>"), World(error=httpx.ReadTimeout),
     World(error=httpx.ConnectError), World(body=b'{"items": 3}')],
    ids=["forbidden", "500", "html", "hang", "gone", "garbage"],
)  # fmt: skip
def test_a_broken_api_is_unknown_with_a_reason_everywhere(slug: str, world: World) -> None:
    assert all(f.seen is None and f.why_unknown for f in findings(slug, world).values())
