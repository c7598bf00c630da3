"""What is kept of the real objects of an API server."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evidence.clients.kubernetes_watch import EVENTS, PODS, SeenEvent
from ingest.watching.event_rules import PodEvent, pod_event, pod_state
from ingest.watching.owners import owner_of
from tests.ingest.watching.made import at, event, event_json, pod, pod_json

CAPTURED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "payloads/kubernetes/events.json").read_text())


def captured(name: str) -> SeenEvent:
    return EVENTS.one.decode(json.dumps(CAPTURED[name]["event"]))


def observed(found: SeenEvent) -> PodEvent:
    made = pod_event(found, at(0))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("name", "reason", "probe"),
    [
        ("readiness-deadline", "Unhealthy", "Readiness"),
        ("errored", "Unhealthy", "Readiness"),
        ("combined", "Unhealthy", "Readiness"),
        ("liveness", "Unhealthy", "Liveness"),
        ("killed-by-liveness", "Killing", "Liveness"),
        ("killed-by-startup", "Killing", "Startup"),
        ("stopping", "Killing", ""),
        ("backoff", "BackOff", ""),
    ],
)
def test_real_events_are_understood(name: str, reason: str, probe: str) -> None:
    found = observed(captured(name))
    assert (found.reason, found.probe, found.container) == (reason, probe, "app")
    assert found.count >= 1 and found.first <= found.last and found.pod_uid


@pytest.mark.parametrize("name", sorted(CAPTURED))
def test_the_workload_of_a_real_pod_is_its_deployment(name: str) -> None:
    raw = CAPTURED[name]["pod"]
    state = pod_state(PODS.one.decode(json.dumps(raw)))
    assert (state.owner.kind, state.owner.name) == ("Deployment", raw["metadata"]["name"].rsplit("-", 2)[0])
    assert state.uid == captured(name).involvedObject.uid and state.node


def test_a_deletion_begins_before_its_time_stamp_by_the_grace_period() -> None:
    state = pod_state(PODS.one.decode(json.dumps(CAPTURED["stopping"]["pod"])))
    assert state.deleting_since == observed(captured("stopping")).first
    assert state.deleting_since == datetime(2026, 11, 25, 16, 24, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("owners", "labels", "kind", "name"),
    [
        ([("ReplicaSet", "cart-7d9f8b6c5")], {"pod-template-hash": "7d9f8b6c5"}, "Deployment", "cart"),
        ([("ReplicaSet", "cart-7d9f8b6c5")], {}, "Deployment", "cart"),
        ([("ReplicaSet", "cart-7d9f8b6c5")], {"rollouts-pod-template-hash": "7d9f8b6c5"}, "Rollout", "cart"),
        ([("Rollout", "cart")], {}, "Rollout", "cart"),
        ([("CloneSet", "cart")], {"pod-template-hash": "b"}, "CloneSet", "cart"),
        ([("Job", "report-29345760")], {}, "CronJob", "report"),
        ([("Job", "migrate")], {}, "Job", "migrate"),
        ([("Node", "node-1")], {}, "StaticPod", "cart-7d9f8b6c5-x"),
        ([("", "")], {}, "Pod", "cart-7d9f8b6c5-x"),
        ([("ReplicaSet", "cart-blue")], {"pod-template-hash": "7d9f8b6c5"}, "ReplicaSet", "cart-blue"),
        ([("StatefulSet", "db")], {"pod-template-hash": "b"}, "StatefulSet", "db"),
        ([("DaemonSet", "agent-7d9f8b6c5")], {}, "DaemonSet", "agent-7d9f8b6c5"),
        ([], {}, "Pod", "cart-7d9f8b6c5-x"),
    ],
)
def test_the_owner_reference_and_the_hash_label_name_the_workload(
    owners: list[tuple[str, str]], labels: dict[str, str], kind: str, name: str
) -> None:
    refs = [{"kind": k, "name": n, "controller": True} for k, n in owners]
    raw = pod_json("cart-7d9f8b6c5-x", ownerReferences=refs, labels=labels)
    found = owner_of(PODS.one.decode(msgspec.json.encode(raw)).metadata)
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(("owners", "kind"), [(["PodSet"], "PodSet"), (["PodSet", "Broker"], "Pod"), ([], "Pod")])
def test_an_owner_that_is_not_called_a_controller_counts_where_there_is_no_other(owners: list[str], kind: str) -> None:
    refs = [{"kind": k, "name": "kafka"} for k in owners]
    assert owner_of(pod("kafka-0", ownerReferences=refs).metadata).kind == kind


def test_what_is_no_trouble_of_a_pod_is_left_out() -> None:
    assert pod_event(event(reason="Pulled"), at(0)) is None
    for kind, reason in (("Node", "Unhealthy"), ("Node", "NodeReady"), ("Deployment", "BackOff"), ("", "FailedCreate")):
        about = {"kind": kind, "name": "node-1" if kind else "", "uid": "n"}
        assert pod_event(event(involvedObject=about, reason=reason), at(0)) is None


@pytest.mark.parametrize(
    "text",
    [
        'Readiness probe failed: Get "http://10.0.0.7:8080/readyz?token=s3cret&x=1": EOF',
        'Readiness probe failed: Get "http://10.0.0.7:8080/readyz?for=s3cret": EOF',
        "Liveness probe failed: curl -H 'Authorization: Bearer s3cret-s3cret' failed",
        'Startup probe failed: Get "http://me:s3cret@10.0.0.7/": EOF',
        "Readiness probe failed: {\"password\": \"s3cret\"}",
    ],
)  # fmt: skip
def test_messages_lose_what_may_be_a_secret_and_are_bounded(text: str) -> None:
    assert "s3cret" not in observed(event(message=text)).message
    assert len(observed(event(message=text + "x" * 5000)).message) <= 2000


def test_a_newer_clients_event_has_its_times_and_count_in_a_series() -> None:
    raw = event_json() | {"count": None, "firstTimestamp": None, "lastTimestamp": None}
    raw |= {
        "eventTime": "2026-11-25T16:00:01.123456Z",
        "series": {"count": 7, "lastObservedTime": "2026-11-25T16:00:09Z"},
    }
    found = observed(EVENTS.one.decode(json.dumps(raw)))
    assert found.count == 7 and found.last == at(9) and at(1) <= found.first < at(2)


def test_a_pod_that_has_ended_counts_as_gone() -> None:
    raw = pod_json(ready=False, ready_at=-20)
    raw["status"]["phase"] = "Failed"
    state = pod_state(PODS.one.decode(json.dumps(raw)))
    assert state.gone_at == at(-20)
    assert pod_state(pod(ready=False)).gone_at is None
    assert at(0) - timedelta(seconds=20) == at(-20)


def test_the_words_of_whoever_may_write_events_take_no_time() -> None:
    reported = event_json()
    began = time.monotonic()
    for mark in ("{", "{a", "spec{", "/"):
        reported["involvedObject"]["fieldPath"] = mark * 100_000
        reported["message"] = mark * 100_000
        pod_event(EVENTS.one.decode(json.dumps(reported)), at(0))
    assert time.monotonic() - began < 10
    reported["involvedObject"]["fieldPath"] = "spec.initContainers{set-up}"
    assert observed(EVENTS.one.decode(json.dumps(reported))).container == "set-up"
