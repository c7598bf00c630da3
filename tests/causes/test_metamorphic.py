"""What must not matter does not: names, the calendar, order, what came later, and a deploy of something else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.replaying import replayed
from domain.scope import ChangeRef
from domain.verdict import Verdict
from evidence.bundles import Bundle
from tests.causes.twists import noisy_afterwards, renamed, shifted, shuffled

# The shipped ones, and of the lab's some with the Kubernetes API, a change, a deletion and a drop among their answers.
EPISODES = ("shared-endpoint", "guilty-deploy", "deleted-while-draining", "network-drop", "handler-panics")
LAB = Path("bundles/episodes/development")
RECORDED = [
    *sorted(p for p in Path("bundles").iterdir() if (p / "bundle.json").exists()),
    *(p for name in EPISODES if (p := LAB / f"probe-{name}-s1.zip").exists()),
]


@pytest.fixture(params=RECORDED, ids=lambda p: p.name)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return Bundle.load(request.param)


def ranking(verdict: Verdict) -> list[tuple[str, float]]:
    """Causes and probabilities, unknown last."""
    return [*((c.cause, c.probability) for c in verdict.causes), ("unknown", verdict.unknown_probability)]


def test_other_names_give_the_same_ranking(bundle: Bundle) -> None:
    other = renamed(bundle)
    assert other != bundle
    assert ranking(replayed(other).verdict) == ranking(replayed(bundle).verdict)


@pytest.mark.parametrize("seconds", [-86_400 * 40, 3_600 * 7 + 11])
def test_another_time_gives_the_same_ranking(bundle: Bundle, seconds: int) -> None:
    assert ranking(replayed(shifted(bundle, seconds)).verdict) == ranking(replayed(bundle).verdict)


def test_another_order_of_deliveries_answers_and_series_gives_the_same_verdict(bundle: Bundle) -> None:
    first = replayed(bundle).verdict
    for seed in range(3):
        other = replayed(shuffled(bundle, seed)).verdict
        assert ranking(other) == ranking(first)
        assert other.headline == first.headline and other.causes[:1] == first.causes[:1]


def test_what_came_after_the_look_changes_nothing(bundle: Bundle) -> None:
    assert ranking(replayed(noisy_afterwards(bundle, 7)).verdict) == ranking(replayed(bundle).verdict)


def test_a_deploy_of_something_else_is_not_the_first_cause_and_changes_no_order(bundle: Bundle) -> None:
    at = bundle.as_of - timedelta(minutes=4)
    changes = tuple(
        ChangeRef(f"c{i}", kind, "new version", at, ("Workload/prod-a/other/billing",))
        for i, kind in enumerate(("deploy", "config"))
    )
    first, other = replayed(bundle).verdict, replayed(replace(bundle, changes=(*bundle.changes, *changes))).verdict
    assert [c.cause for c in other.causes][:1] == [c.cause for c in first.causes][:1]
    known = {c.cause for c in first.causes}
    assert {c.cause for c in other.causes} & {"recent-deploy", "recent-config-change"} <= known
