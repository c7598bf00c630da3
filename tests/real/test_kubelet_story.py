"""A real kubelet's readiness probe fails because the handler waits for a lock; the product sees why."""

from datetime import UTC, datetime

import pytest

from evidence.collect import collect
from evidence.recording import LiveTransports
from incidents.assemble import scope_of
from ingest.sources import all_sources
from lab.episode import drawing
from lab.stage.namespace import template
from lab.stage.node_pool import NodePool
from lab.stage.programs import Stage
from lab.stage.sink import Sink
from tests.real.node_stage import node_stage

__all__ = ["node_stage"]
pytestmark = pytest.mark.real


def test_a_blocked_handler_is_distinguished_from_the_network(node_stage: Stage) -> None:
    sink = Sink()
    pool = NodePool(node_stage, sink, drawing("story", 0))
    pool.start([])
    on = pool.make_namespace(drawing("probe-story", 0))
    pod = on.deploy(template(on.draw, {"uses": "lock", "uses_livez": "none"}))[0]
    pool.watch()
    on.calm(20, 20)
    on.order(pod, "hold", for_="30s")
    on.alerted("ProbeDown", pod.name)
    on.alerted("PodProbeFailing", pod.name)
    on.must_have_event("Readiness probe failed", "context deadline exceeded")
    connections = on.setting("handler-blocked-on-dependency", pod).connections
    alerts = [a for t in sink.taken for a in all_sources()[t.kind].parse(t.body, t.received_at).alerts]
    scope = scope_of("story", alerts, connections, datetime.now(UTC).replace(microsecond=0))
    found = {f.measure: f for f in collect(scope, LiveTransports(connections)).findings}
    sink.close()
    assert found["kubelet-readiness-failing"].seen is True
    assert found["probe-app-silent"].seen is True
    assert found["probe-transport-timeout"].seen is False
    assert found["go-process-answers"].seen is True
