"""Recorded incidents judged against their truth, beside what simpler ways say."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from config.replaying import replayed
from evaluate.controls import CONTROLS
from evaluate.published_rules import _quantile, naive_cause
from evaluate.sets import bundles_in, evaluated
from evidence.bundles import Bundle
from ml.evaluation import SURE, Case, denied, surely_wrong

BUNDLES = Path("bundles")
MISTAKEN = {
    "etcd-switch-frozen-leader": "etcd-leader-stalled",
    "etcd-follower-restart": "etcd-member-restart",
    "etcd-steady-latency": "",
    "probe-accept-queue-full": "accept-queue-full",
}


@pytest.mark.parametrize(("name", "truth"), MISTAKEN.items())
def test_the_published_rules_are_wrong_where_they_are_known_to_be_and_the_ranking_is_not(name: str, truth: str) -> None:
    bundle = Bundle.load(BUNDLES / name)
    judged = evaluated(BUNDLES / name, replayed)
    assert judged is not None
    assert naive_cause(bundle, replayed(bundle).scope) != truth
    assert judged.case.answer == truth or (not truth and judged.case.recognised)


def test_the_popular_p99_is_interpolated_as_prometheus_does_it() -> None:
    buckets = {0.1024: 0.0, 0.2048: 20.0, float("inf"): 20.0}
    assert _quantile(buckets) == pytest.approx(0.2038, abs=1e-4)
    assert _quantile({0.1024: 0.0, 0.2048: 0.0, float("inf"): 5.0}) == 0.2048
    assert _quantile({0.1024: 0.0, float("inf"): 0.0}) == 0.0


def judged_against(tmp_path: Path, *accept: str) -> Case:
    """A recorded slow disk of etcd, judged as if these causes were accepted."""
    bundle = Bundle.load(BUNDLES / "etcd-switch-slow-disk")
    assert bundle.truth is not None
    path = tmp_path / "case.zip"
    replace(bundle, truth=replace(bundle.truth, cause=accept[0], accept=accept)).save(path)
    judged = evaluated(path, replayed)
    assert judged is not None
    return judged.case


def test_of_several_accepted_causes_the_one_that_is_named_is_the_truth(tmp_path: Path) -> None:
    case = judged_against(tmp_path, "etcd-member-down", "etcd-slow-disk")
    assert case.truth == case.answer == "etcd-slow-disk" and case.faulty


def test_an_accepted_cause_that_the_catalogue_has_not_got_leaves_nothing_to_be_found(tmp_path: Path) -> None:
    case = judged_against(tmp_path, "nobody-wrote-this-cause")
    assert not case.truth and not case.healthy and not case.faulty and not case.recognised
    assert surely_wrong(case) == float(dict(case.shares)[case.answer] >= SURE)


def test_calling_a_fault_no_fault_is_no_recognition(tmp_path: Path) -> None:
    case = replace(judged_against(tmp_path, "unknown"), judged_healthy=True)
    assert denied(case) == 1.0 and not case.recognised
    assert denied(replace(case, healthy=True)) == 0.0 and replace(case, healthy=True).recognised


def test_every_control_judges_the_same_case_and_the_same_truth() -> None:
    judged = evaluated(BUNDLES / "etcd-switch-slow-disk", replayed)
    assert judged is not None and set(judged.controls) == set(CONTROLS)
    assert {c.truth for c in judged.controls.values()} == {"etcd-slow-disk"}


def test_bundles_are_found_below_a_folder_once_and_in_order() -> None:
    found = bundles_in([BUNDLES / "etcd-move-leader", BUNDLES])
    assert found == sorted(set(found)) and BUNDLES / "etcd-move-leader" in found


def test_the_verb_prints_all_figures_as_json() -> None:
    out = StringIO()
    call_command(
        "evaluate", str(BUNDLES / "etcd-move-leader"), str(BUNDLES / "probe-handler-blocked"), "--json", stdout=out
    )
    report = json.loads(out.getvalue())
    assert report["cases"] == 2 and report["figures"]["top_1"]["cases"] == 2
    assert {c["name"] for c in report["judged"]} == {"etcd-move-leader", "probe-handler-blocked"}
    assert report["figures"]["recognised"] is None


def test_a_folder_without_a_bundle_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no bundle"):
        call_command("evaluate", str(tmp_path))


def test_the_page_has_a_section_for_each_part(tmp_path: Path) -> None:
    page = tmp_path / "accuracy.md"
    call_command("evaluate", str(BUNDLES / "etcd-move-leader"), "--out", str(page))
    assert "## bundles etcd-move-leader" in page.read_text() and "published rules" in page.read_text()
