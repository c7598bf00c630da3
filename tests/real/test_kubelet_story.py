"""A real kubelet's readiness probe fails because the handler waits for a lock; the product sees why."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from evidence.collect import collect
from evidence.recording import LiveTransports
from incidents.assemble import scope_of
from ingest.sources import all_sources
from lab.episodes.probes import scene
from lab.stage.node import can_run
from lab.stage.programs import Stage
from lab.stage.sink import Sink

pytestmark = pytest.mark.real


@pytest.fixture
def stage() -> Iterator[Stage]:
    if missing := can_run():
        if os.environ.get("CI"):
            pytest.fail(f"the Kubernetes node is left out: {missing}")
        pytest.skip(f"the Kubernetes node is left out: {missing}")
    with Stage(on_disk=True) as made:
        yield made


def test_a_blocked_handler_is_told_from_the_network(stage: Stage) -> None:
    sink = Sink()
    with scene(stage, sink, "cart-6c8f9d7b5-x7x2q", {}, calm_s=20) as on:
        threading.Thread(target=on.get, args=("/hold?for=25s",), daemon=True).start()
        on.alerted("ProbeDown")
        on.alerted("PodProbeFailing")
        connections = on.setting("handler-blocked-on-dependency", "").connections
        alerts = [a for t in sink.taken for a in all_sources()[t.kind].parse(t.body, t.received_at).alerts]
        scope = scope_of("story", alerts, connections, datetime.now(UTC).replace(microsecond=0))
        found = {f.measure: f for f in collect(scope, LiveTransports(connections)).findings}
    sink.close()
    assert found["kubelet-readiness-failing"].seen is True
    assert found["probe-app-silent"].seen is True
    assert found["probe-transport-timeout"].seen is False
    assert found["go-process-answers"].seen is True
