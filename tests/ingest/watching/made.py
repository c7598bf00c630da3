"""Events and pods as the API gives them, made by hand around one moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from evidence.clients.kubernetes_watch import EVENTS, PODS, SeenEvent, SeenPod

T0 = datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
DEADLINE = ('Readiness probe failed: Get "http://10.0.0.7:8080/readyz": context deadline exceeded '
            "(Client.Timeout exceeded while awaiting headers)")  # fmt: skip


def at(seconds: float) -> datetime:
    """So many seconds after the test's beginning."""
    return T0 + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    return f"{at(seconds):%Y-%m-%dT%H:%M:%SZ}"


def event_json(
    name: str = "cart-7d9f8b6c5-aaaaa", last: float = 0, count: int = 1, first: float | None = None, **more: Any
) -> dict[str, Any]:
    """An event of that pod, of the container `app`."""
    text = {"reason": "Unhealthy", "message": DEADLINE} | more
    uid = text.pop("uid", f"event-{name}-{text['reason']}-{text['message'][:9]}")
    return {
        "metadata": {"name": uid, "namespace": "shop", "uid": uid, "resourceVersion": "7"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name, "uid": f"uid-{name}",
                           "fieldPath": "spec.containers{app}"},
        "firstTimestamp": stamp(last if first is None else first), "lastTimestamp": stamp(last), "count": count,
        "eventTime": None, "type": "Warning", **text,
    }  # fmt: skip


def pod_json(
    name: str = "cart-7d9f8b6c5-aaaaa", *, ready: bool = True, started: float = -3600, ready_at: float = -3500,
    deleted_at: float | None = None, grace_s: int = 30, **more: Any
) -> dict[str, Any]:  # fmt: skip
    """A pod of the Deployment `cart`; `deleted_at` is when its deletion was asked for."""
    about: dict[str, Any] = {
        "name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "5",
        "labels": {"pod-template-hash": "7d9f8b6c5"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-7d9f8b6c5", "controller": True}],
    } | more  # fmt: skip
    if deleted_at is not None:
        about |= {"deletionTimestamp": stamp(deleted_at + grace_s), "deletionGracePeriodSeconds": grace_s}
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp(ready_at)}
    running = {"name": "app", "state": {"running": {"startedAt": stamp(started)}}}
    return {
        "metadata": about, "spec": {"nodeName": "node-1"},
        "status": {"phase": "Running", "conditions": [condition], "containerStatuses": [running]},
    }  # fmt: skip


def event(*args: Any, **more: Any) -> SeenEvent:
    return EVENTS.one.decode(msgspec.json.encode(event_json(*args, **more)))


def pod(*args: Any, **more: Any) -> SeenPod:
    return PODS.one.decode(msgspec.json.encode(pod_json(*args, **more)))
