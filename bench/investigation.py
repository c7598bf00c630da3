"""What one investigation takes on top of its slowest check, how much it asks, and what a server that hangs costs."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from bench.story import history
from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Connections, EtcdDecl, PrometheusDecl
from domain.entities import EntityKind, EntityRef
from domain.scope import Scope
from evidence import collect as collecting
from evidence.recording import LiveTransports
from incidents.assemble import scope_of
from investigate.decide import decide, with_unusual
from lab.stage.programs import Stage

ROUNDS, HANG_S = 8, 2.0
AIMS = {
    "investigation_over_slowest_check": "<= 1.3", "investigation_questions": "<= 40",
    "hanging_witness_over_its_limit": "<= 1.3",
}  # fmt: skip


def measured() -> dict[str, float]:
    """Medians over rounds against a real Prometheus with two hours of a three-member etcd."""
    with Stage(on_disk=True) as stage:
        url = history(stage)
        rows = [_round(_scope(url)) for _ in range(ROUNDS + 1)][1:]
    with _mute() as silent:
        began = time.perf_counter()
        _round(_scope(silent, HANG_S))
        hung = time.perf_counter() - began
    return {
        "investigation_ms": round(statistics.median(r["whole"] for r in rows) * 1000, 1),
        "investigation_over_slowest_check": round(statistics.median(r["whole"] / r["slowest"] for r in rows), 3),
        "investigation_questions": max(r["questions"] for r in rows),
        "hanging_witness_over_its_limit": round(hung / HANG_S, 3),
    }


def _scope(url: str, timeout_s: float = 10.0) -> Scope:
    now = datetime.now(UTC).replace(microsecond=0)
    member = EntityRef(EntityKind.ETCD_CLUSTER, "etcd-0", "c-0")
    alert = ParsedAlert("1", "", AlertState.FIRING, "EtcdLeaderChanged", "etcd leader changed", Severity.HIGH,
                        now - timedelta(minutes=2), entities=(member,))  # fmt: skip
    connections = Connections(
        prometheus=[PrometheusDecl(name="main", url=url, timeout_s=timeout_s)],
        etcd=[EtcdDecl(name="etcd-0", cluster="c-0", prometheus="main", selector={"job": "etcd"})],
    )
    return scope_of("bench", [alert], connections, now)


def _round(scope: Scope) -> dict[str, float]:
    took: list[float] = []
    run = collecting.run

    def timed(*given: Any) -> Any:
        began = time.perf_counter()
        found = run(*given)
        took.append(time.perf_counter() - began)
        return found

    began = time.perf_counter()
    with mock.patch.object(collecting, "run", timed):
        collected = collecting.collect(scope, LiveTransports(scope.connections))
    decide(scope, with_unusual(scope, collected).findings, ())
    return {"whole": time.perf_counter() - began, "slowest": max(took), "questions": len(collected.answers)}


@contextmanager
def _mute() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
