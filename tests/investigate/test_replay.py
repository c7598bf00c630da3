"""A replay is a pure function of its bundle."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from config.replaying import replayed
from domain.errors import Malformed
from domain.scope import ChangeRef
from domain.verdict import VerdictState
from domain.verdict_json import to_contract
from evidence.bundles import Bundle

BUNDLES = sorted(p.parent for p in (settings.BASE_DIR / "bundles").glob("*/bundle.json"))


def as_bytes(bundle: Bundle) -> bytes:
    return json.dumps(to_contract(replayed(bundle).verdict), ensure_ascii=False, sort_keys=True).encode()


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.name)
def test_the_first_cause_is_the_recorded_truth_or_honestly_unknown(path: Path) -> None:
    bundle = Bundle.load(path)
    verdict = replayed(bundle).verdict
    if bundle.truth and verdict.state is not VerdictState.UNKNOWN:
        healthy = verdict.state is VerdictState.NO_FAULT and bundle.truth.cause == "no-fault"
        assert healthy or verdict.causes[0].cause == bundle.truth.cause


@pytest.mark.parametrize("path", BUNDLES[:1], ids=lambda p: p.name)
def test_the_same_bundle_gives_the_same_bytes_wherever_it_lies(path: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(path)
    bundle.save(tmp_path / "moved.zip")
    assert as_bytes(Bundle.load(tmp_path / "moved.zip")) == as_bytes(bundle)


@pytest.mark.parametrize("path", BUNDLES[:1], ids=lambda p: p.name)
def test_the_verb_gives_the_same_bytes_in_two_time_zones(path: Path, tmp_path: Path) -> None:
    outputs = []
    for zone in ("UTC", "Asia/Shanghai"):
        set_to = [f"TZ={zone}", f"TIME_ZONE={zone}", f"INCIDENT_GRAPH_HOME={tmp_path}", "PYTHONHASHSEED=random"]
        verb = [sys.executable, str(settings.BASE_DIR / "manage.py"), "replay", "--json", str(path)]
        outputs.append(subprocess.run(["env", *set_to, *verb], check=True, capture_output=True).stdout)
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0])["input_hash"].startswith("sha256:")


@pytest.mark.parametrize("path", BUNDLES[:1], ids=lambda p: p.name)
def test_what_came_in_after_the_look_does_not_count(path: Path) -> None:
    bundle = Bundle.load(path)
    late = replace(bundle.deliveries[0], received_at=bundle.as_of + timedelta(seconds=1), body="not even JSON")
    assert replace(replayed(bundle).scope, incident="") == replace(
        replayed(replace(bundle, deliveries=(*bundle.deliveries, late))).scope, incident=""
    )


@pytest.mark.parametrize("path", BUNDLES[:1], ids=lambda p: p.name)
def test_without_answers_every_finding_is_unknown(path: Path) -> None:
    collected = replayed(replace(Bundle.load(path), answers=())).collected
    assert collected.findings
    assert all(f.seen is None and f.why_unknown for f in collected.findings if f.connection)


def test_a_bundle_without_deliveries_is_refused() -> None:
    with pytest.raises(Malformed, match="holds no alert"):
        replayed(replace(Bundle.load(BUNDLES[0]), deliveries=()))


@pytest.mark.parametrize("path", BUNDLES[:1], ids=lambda p: p.name)
def test_a_bundle_keeps_its_changes_and_its_origin(path: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(path)
    change = ChangeRef("deploy-7", "deploy", "cart 1.7", bundle.as_of - timedelta(minutes=9), ("Workload/a/b/cart",))
    with_change = replace(
        bundle, changes=(change,), declaration="probe-x", seed=3, family="change", stage="real kubelet"
    )
    with_change.save(tmp_path / "with_change.zip")
    again = Bundle.load(tmp_path / "with_change.zip")
    assert (again.declaration, again.seed, again.family, again.stage) == ("probe-x", 3, "change", "real kubelet")
    assert replayed(again).scope.changes == (change,)
    assert replayed(bundle).scope.changes == ()
