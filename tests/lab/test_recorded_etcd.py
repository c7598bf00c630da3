"""What every recorded etcd episode promises, whatever it is about; verdicts are the evaluation's business."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from config.replaying import replayed
from domain.verdict import VerdictState
from evidence.bundles import Bundle
from ingest.sources import all_sources
from investigate.decide import decide
from lab.episodes import all_episodes
from lab.recording import BUNDLES, place_of
from lab.stage.releases import PINNED

RECORDED = sorted((BUNDLES / "episodes").glob("*/etcd-*.zip"))
LIMIT = 150 * 1024


@pytest.fixture(params=RECORDED, ids=lambda p: p.stem)
def recorded(request: pytest.FixtureRequest) -> tuple[Path, Bundle]:
    return request.param, Bundle.load(request.param)


def test_a_bundle_lies_where_its_seed_belongs_and_is_small(recorded: tuple[Path, Bundle]) -> None:
    path, bundle = recorded
    assert path == place_of(bundle.declaration, bundle.seed)
    assert path.stat().st_size < LIMIT
    assert bundle.stage == "real etcd"


def test_its_truth_is_the_declarations_and_names_an_entity_that_is_declared(recorded: tuple[Path, Bundle]) -> None:
    _, bundle = recorded
    wanted = all_episodes()[bundle.declaration].cause
    if not wanted:
        assert bundle.truth is None
        return
    assert bundle.truth is not None
    etcd = bundle.connections.etcd[0]
    members = {f"EtcdMember/{etcd.cluster}//{m.name}" for m in etcd.member}
    assert bundle.truth.cause == wanted
    assert bundle.truth.entity in members | {f"EtcdCluster/{etcd.cluster}//{etcd.name}"}


def test_its_notes_name_the_versions_of_its_seed(recorded: tuple[Path, Bundle]) -> None:
    _, bundle = recorded
    assert (PINNED.known_versions in bundle.notes) == (bundle.seed % 2 == 0)
    assert "Alertmanager 0.2" in bundle.notes


def test_the_health_of_every_member_was_asked_when_it_was_played(recorded: tuple[Path, Bundle]) -> None:
    _, bundle = recorded
    etcd = bundle.connections.etcd[0]
    asked = {a.connection for a in bundle.answers if a.path == "/health"}
    assert asked == {f"{etcd.name}/{m.name}" for m in etcd.member}


def test_a_firing_alert_of_the_cluster_came_before_the_bundle_was_closed(recorded: tuple[Path, Bundle]) -> None:
    _, bundle = recorded
    parsed = [a for d in bundle.deliveries for a in all_sources()[d.kind].parse(d.body.encode(), d.received_at).alerts]
    assert all(d.received_at <= bundle.as_of for d in bundle.deliveries)
    assert any(a.labels.get("cluster") == bundle.connections.etcd[0].cluster for a in parsed)


def test_a_steady_round_trip_near_the_limit_is_not_called_over_it_although_p99_reads_so() -> None:
    bundle = Bundle.load(BUNDLES / "etcd-steady-near-limit")
    seen = replayed(bundle)
    scope, collected = seen.scope, seen.collected
    verdict = decide(scope, collected.findings, bundle.similar)
    found = {f.measure: f for f in collected.findings}
    assert max(_p99s(bundle)) == pytest.approx(0.2038, abs=0.0005)
    over = found["etcd-rtt-over-limit"]
    assert over.seen is not True and over.limit == 0.15
    assert over.value is not None and 0.108 < over.value < 0.126
    assert verdict.state in {VerdictState.NO_FAULT, VerdictState.UNKNOWN}


def _p99s(bundle: Bundle) -> Iterator[float]:
    """What `histogram_quantile(0.99, ...)` of the round trips said in the recording."""
    for answer in bundle.answers:
        query = parse_qs(answer.body).get("query", [""])[0]
        if query.startswith("histogram_quantile(0.99") and "round_trip" in query:
            lines = json.loads(answer.answer)["data"]["result"]
            yield from (float(value) for line in lines for _, value in line["values"] if value != "NaN")
