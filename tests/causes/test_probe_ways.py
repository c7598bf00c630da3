"""Which way a probe takes decides which causes compete: loopback crosses no network, and a command asks no port."""

from dataclasses import replace
from typing import Any

import pytest

from causes.rank import rank
from domain.alerts import Family
from domain.verdict import Verdict
from tests.evidence.scene import POD, World, findings, iso, scope, seen

PODS = "/api/v1/namespaces/shop/pods"
EVENTS = "/api/v1/namespaces/shop/events"
DEADLINE = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
LOCAL = f'Liveness probe failed: Get "http://127.0.0.1:2381/health?serializable=true": {DEADLINE}'
OTHER = f'Liveness probe failed: Get "http://10.0.0.7:8080/health": {DEADLINE}'
EXEC = ("Liveness probe errored: rpc error: code = DeadlineExceeded desc = failed to exec in container: timeout 2s "
        "exceeded: context deadline exceeded")  # fmt: skip
NETWORK = {"network-path-drop", "network-unreachable"}
PORT = {"network-path-drop", "accept-queue-full", "tls-handshake-stall"}
HTTP = {"httpGet": {"port": 8080, "path": "/health"}}
COMMAND = {"exec": {"command": ["redis-cli", "ping"]}, "timeoutSeconds": 2}


def event(message: str, pod: str = POD, reason: str = "Unhealthy") -> dict[str, Any]:
    return {
        "metadata": {"name": f"{pod}.1", "namespace": "shop"}, "reason": reason, "message": message, "count": 6,
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": "shop"}, "type": "Warning",
        "firstTimestamp": iso(-20), "lastTimestamp": iso(20),
    }  # fmt: skip


def pod(probe: dict[str, Any], **spec: Any) -> dict[str, Any]:
    container = {"name": "app", "livenessProbe": probe}
    return {"metadata": {"name": POD, "namespace": "shop"}, "spec": {"containers": [container], **spec}, "status": {}}


def judged(world: World) -> tuple[set[str], Verdict]:
    """What the two checks of probes see, and the verdict that follows from it."""
    about = scope()
    about = replace(about, alerts=tuple(replace(alert, family=Family.PROBE) for alert in about.alerts))
    found = findings("kubelet-events", world, about) | findings("probe-spec", world, about)
    return seen(found), rank(about, list(found.values()))


def candidates(verdict: Verdict) -> set[str]:
    return {cause.cause for cause in verdict.causes}


@pytest.mark.parametrize(
    ("message", "probe", "spec", "measure"),
    [
        (LOCAL, HTTP, {}, "event-over-loopback"),
        (OTHER, {"httpGet": {"port": 2381, "host": "127.0.0.1"}}, {}, "spec-over-loopback"),
        (OTHER, {"httpGet": {"port": 2381, "host": "localhost"}}, {}, "spec-over-loopback"),
        (OTHER, HTTP, {"hostNetwork": True}, "spec-over-loopback"),
        (OTHER, {"tcpSocket": {"port": 2381}}, {"hostNetwork": True}, "spec-over-loopback"),
    ],
)
def test_a_probe_over_loopback_crosses_no_network(
    message: str, probe: dict[str, Any], spec: dict[str, Any], measure: str
) -> None:
    measures, verdict = judged(World(api={EVENTS: [event(message)], PODS: [pod(probe, **spec)]}))
    assert {measure, "event-deadline"} <= measures
    assert not NETWORK & candidates(verdict) and {out.cause for out in verdict.ruled_out} >= NETWORK
    assert "handler-blocked-on-dependency" in candidates(verdict)


@pytest.mark.parametrize(
    ("events", "probe", "spec"),
    [
        ([event(OTHER)], HTTP, {}),
        ([event(OTHER)], {"httpGet": {"port": 80, "host": "10.0.0.9"}}, {"hostNetwork": True}),
        ([event(LOCAL), event(OTHER)], HTTP, {}),
    ],
    ids=["the pod's own address", "another host", "both ways"],
)
def test_a_probe_that_may_cross_a_network_leaves_it_a_candidate(
    events: list[dict[str, Any]], probe: dict[str, Any], spec: dict[str, Any]
) -> None:
    measures, verdict = judged(World(api={EVENTS: events, PODS: [pod(probe, **spec)]}))
    assert not {"event-over-loopback", "spec-over-loopback"} & measures
    assert "network-path-drop" in candidates(verdict)


def test_a_command_that_did_not_end_is_no_matter_of_the_network() -> None:
    measures, verdict = judged(World(api={EVENTS: [event(EXEC)], PODS: [pod(COMMAND)]}))
    assert {"event-exec-timeout", "spec-only-exec"} <= measures and "event-deadline" not in measures
    assert verdict.causes[0].cause == "exec-probe-late" and not (PORT | NETWORK) & candidates(verdict)
    assert {cause.layer for cause in verdict.causes} <= {"probe settings", "application", "infrastructure"}


def test_the_words_of_a_command_about_a_deadline_are_no_dropped_packet() -> None:
    world = World(api={EVENTS: [event("Liveness probe failed: context deadline exceeded")], PODS: [pod(COMMAND)]})
    measures, verdict = judged(world)
    assert {"event-deadline", "spec-only-exec"} <= measures and not PORT & candidates(verdict)


READY = 'Readiness probe failed: Get "https://10.0.0.9:8443/health": '


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (READY + "remote error: tls: handshake failure", "tls-trust-or-scheme"),
        (READY + "remote error: tls: certificate required", "tls-trust-or-scheme"),
        (READY + "remote error: tls: internal error", "tls-trust-or-scheme"),
        (READY + "remote error: tls: unrecognized name", "tls-trust-or-scheme"),
        (READY + "remote error: tls: protocol version not supported", "tls-trust-or-scheme"),
        (READY + "http2: no cached connection was available", "connection-reset"),
        (READY + "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR",
         "connection-reset"),
        (READY + r'net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x00\x00\x06\x04..."',
         "wrong-probe-target"),
        (READY + "read tcp 10.0.0.1:4242->10.0.0.9:8443: read: connection timed out", "network-path-drop"),
        (READY + "dial tcp 10.0.0.7:8080: connect: operation not permitted", "connection-forbidden"),
        ("Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: OCI runtime exec "
         'failed: exec: "check": executable file not found in $PATH', "wrong-probe-target"),
    ],
)  # fmt: skip
def test_what_a_message_of_the_kubelet_proves_makes_its_cause_the_first(message: str, cause: str) -> None:
    _, verdict = judged(World(api={EVENTS: [event(message)], PODS: [pod(HTTP)]}))
    assert verdict.causes[0].cause == cause


def test_an_image_that_cannot_be_pulled_is_not_called_a_crash() -> None:
    message = 'Back-off pulling image "registry.example/web:1.2.3": ErrImagePull: not found'
    world = World(api={EVENTS: [event(message, reason="BackOff")], PODS: [pod(HTTP)]})
    world.add("kube_pod_container_status_waiting_reason", 1, reason="ImagePullBackOff", container="app")
    measures, verdict = judged(world)
    assert "event-image-pull" in measures and verdict.causes[0].cause == "image-pull-fails"
    assert "handler-crash" not in candidates(verdict)
