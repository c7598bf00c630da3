"""Three real etcd members, a real Prometheus and a real Alertmanager: what popular rules get wrong is told right."""

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from causes.rank import rank
from connections.discovery.compare import WRONG
from connections.discovery.holding import hold
from connections.file import read
from domain.connections import Connections
from domain.findings import Finding
from domain.scope import Scope
from domain.verdict import Verdict
from evidence.clients.prometheus import Answered, Prometheus
from evidence.collect import collect
from evidence.recording import LiveTransports, ReplayTransports
from evidence.ways import FILES_ONLY
from incidents.assemble import scope_of
from ingest.sources import all_sources
from lab.episode import Setting, drawing
from lab.episodes.etcd_members import follower_restart
from lab.episodes.etcd_scene import SWITCHED, Scene, calm_scene
from lab.episodes.etcd_shapes import Site
from lab.episodes.etcd_switch import frozen_leader, moved_leader
from lab.faults.network import late_member
from lab.stage.etcd import Shape
from lab.stage.programs import Stage
from lab.stage.releases import PINNED, Watchers
from lab.stage.sink import Sink

pytestmark = pytest.mark.real
DRAW = drawing("story", 1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


@pytest.fixture
def sink() -> Iterator[Sink]:
    opened = Sink()
    yield opened
    opened.close()


def investigated(setting: Setting, sink: Sink) -> tuple[dict[str, Finding], Verdict]:
    """What the product finds, live, and what it says; a replay of the same answers must say the same.

    So must an investigation by the file that `discover` writes.
    """
    found = found_with(setting.connections, sink)
    by_discovery = found_with(discovered(setting), sink)
    assert (by_discovery[1].state, first(by_discovery[1])) == (found[1].state, first(found[1]))
    return found


def found_with(connections: Connections, sink: Sink) -> tuple[dict[str, Finding], Verdict]:
    alerts = [a for t in sink.taken for a in all_sources()[t.kind].parse(t.body, t.received_at).alerts]
    scope: Scope = scope_of("story", alerts, connections, datetime.now(UTC).replace(microsecond=0))
    collected = collect(scope, LiveTransports(connections))
    again = collect(scope, ReplayTransports(collected.answers))
    assert again.findings == collected.findings
    return {f.measure: f for f in collected.findings}, rank(scope, collected.findings)


def discovered(setting: Setting) -> Connections:
    """What is declared by the file that `discover` writes of the stage's Prometheus."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "connections.toml"
        call_command("discover", setting.connections.prometheus[0].url, out=out, stderr=io.StringIO())
        return read(out, all_sources())


def held(declared: Connections) -> list[str]:
    """What `discover --check` finds wrong, or could not ask, of a file by hand."""
    found = hold(declared, FILES_ONLY)
    assert any(one.what == "check etcd-leader: etcd etcd-prod exports what it needs" for one in found)
    return [one.what for one in found if one.level == WRONG or "not answered" in one.what or "did not say" in one.what]


def first(verdict: Verdict) -> str:
    """The first cause, empty for an honest unknown."""
    return verdict.causes[0].cause if verdict.causes and verdict.state == "ranked" else ""


def test_an_operators_move_is_named_as_such(stage: Stage, sink: Sink) -> None:
    found, verdict = investigated(moved_leader(stage, sink, DRAW), sink)
    assert found["etcd-leader-switch"].seen is True
    assert found["etcd-rtt-rise"].seen is False
    assert first(verdict) in {"etcd-leadership-moved", ""}


@pytest.mark.parametrize("shape", [Shape(cluster=""), Shape(labelled=True)], ids=["no cluster label", "labelled"])
def test_discover_finds_the_cluster_by_few_labels_and_by_many(stage: Stage, sink: Sink, shape: Shape) -> None:
    with calm_scene(stage, sink, Site(shape)) as scene:
        scene.etcd.move_leader(scene.etcd.followers()[0])
        scene.alerted(SWITCHED)
        time.sleep(10)
        setting = scene.setting("etcd-leadership-moved", scene.cluster(), "etcdctl move-leader")
        found, verdict = investigated(setting, sink)
        assert found["etcd-leader-switch"].seen is True and first(verdict) in {"etcd-leadership-moved", ""}
        by_hand, written = setting.connections, discovered(setting)
        assert held(by_hand) == []
    (own,), (declared,) = written.etcd, by_hand.etcd
    assert own.cluster == declared.cluster and own.selector == declared.selector
    assert {(m.instance, m.member_id) for m in own.member} == {(m.instance, m.member_id) for m in declared.member}
    assert written.prometheus[0].clusters == by_hand.prometheus[0].clusters
    assert written.source[0].api_url == scene.monitoring.alertmanager
    if shape.labelled:
        assert {(m.name, m.zone) for m in own.member} == {(m.name, m.zone) for m in declared.member}


def test_a_frozen_leader_is_not_called_network_jitter(stage: Stage, sink: Sink) -> None:
    found, verdict = investigated(frozen_leader(stage, sink, DRAW), sink)
    assert found["etcd-leader-switch"].seen is True
    assert found["etcd-member-scrape-gap"].seen is True
    assert first(verdict) in {"etcd-leader-stalled", ""}


def test_a_followers_restart_is_not_called_a_leader_switch(stage: Stage, sink: Sink) -> None:
    found, verdict = investigated(follower_restart(stage, sink, DRAW), sink)
    assert found["etcd-leader-switch"].seen is False
    assert found["etcd-member-restarted"].seen is True
    assert first(verdict) in {"etcd-member-restart", ""}


def test_the_metrics_client_reads_a_real_server(stage: Stage, sink: Sink) -> None:
    with calm_scene(stage, sink, Site(calm_s=8)) as scene, _client(scene) as client:
        leaders = _now(client, 'sum(etcd_server_is_leader{job="etcd"})')
        assert [p.value for line in leaders.lines for p in line.points] == [1.0]
        nothing = _now(client, "no_such_series_at_all")
        assert nothing.lines == ()
        undefined = _now(client, "0 / (etcd_server_is_leader * 0)")
        assert all(not line.points for line in undefined.lines)


def test_the_pinned_versions_stand_on_a_stage_and_the_metrics_client_reads_them(stage: Stage, sink: Sink) -> None:
    newest = Site(Shape(release=PINNED), Watchers(PINNED), calm_s=8)
    with calm_scene(stage, sink, newest) as scene, _client(scene) as client:
        assert {m.status()["version"] for m in scene.etcd.members} == {"3.6.5"}
        leaders = _now(client, 'sum(etcd_server_is_leader{job="etcd"})')
        assert [p.value for line in leaders.lines for p in line.points] == [1.0]


def test_one_members_links_are_late_without_the_others(stage: Stage, sink: Sink) -> None:
    with calm_scene(stage, sink, Site(calm_s=1)) as scene:
        slow = scene.etcd.followers()[0]
        rtt = "etcd_network_peer_round_trip_time_seconds"
        with late_member(scene.etcd, slow, 0.1):
            time.sleep(45)
            means = scene.monitoring.query(f"increase({rtt}_sum[45s]) / increase({rtt}_count[45s])")
        late = {float(row["value"][1]) > 0.05 for row in means
                if slow.member_id == row["metric"]["To"] or slow.seat.instance == row["metric"]["instance"]}  # fmt: skip
        assert len(means) == 6 and late == {True}
        assert sum(float(row["value"][1]) > 0.05 for row in means) == 4


def test_the_metrics_client_reports_why_a_query_was_refused(stage: Stage, sink: Sink) -> None:
    with (
        calm_scene(stage, sink, Site(calm_s=1)) as scene, _client(scene) as client,
        pytest.raises(Exception, match="parse error"),
    ):  # fmt: skip
        _now(client, "sum(")


def _now(client: Prometheus, query: str) -> Answered:
    now = datetime.now(UTC)
    return client.range(query, now, now, 5)


@contextlib.contextmanager
def _client(scene: Scene) -> Iterator[Prometheus]:
    server = scene.connections().prometheus[0]
    with LiveTransports(scene.connections()).client(server.name, server.url, server) as http:
        time.sleep(1)
        yield Prometheus(http)
