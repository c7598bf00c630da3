"""A floor under the ranking on the development episodes; the release figure is on others (docs/accuracy.md)."""

from pathlib import Path

import pytest

from config.replaying import replayed
from domain.verdict import Verdict, VerdictState
from evidence.bundles import Bundle

EPISODES = sorted(Path("bundles/episodes/development").glob("*.zip"))
NO_FAULT = ("no-fault", "graceful-shutdown-noise")


@pytest.fixture(scope="module")
def judged() -> list[tuple[str, Verdict]]:
    """Truth, empty where the catalogue has no such cause, and verdict."""
    bundles = [Bundle.load(path) for path in EPISODES]
    return [(b.truth.cause if b.truth else "", replayed(b).verdict) for b in bundles]


def test_the_truth_is_first_or_among_three_and_nothing_is_made_up(judged: list[tuple[str, Verdict]]) -> None:
    faults = [(t, [c.cause for c in v.causes]) for t, v in judged if t and not t.startswith(NO_FAULT)]
    calm = [v for t, v in judged if not t or t.startswith(NO_FAULT)]
    assert len(faults) >= 20 and len(calm) >= 5
    assert sum(found[:1] == [truth] for truth, found in faults) >= 0.9 * len(faults)
    assert sum(truth in found[:3] for truth, found in faults) >= 0.95 * len(faults)
    assert sum(v.state is not VerdictState.RANKED for v in calm) >= 0.9 * len(calm)


def test_a_decided_verdict_on_them_is_hardly_ever_wrong(judged: list[tuple[str, Verdict]]) -> None:
    decided = [(t, v.causes[0].cause) for t, v in judged if v.state is VerdictState.RANKED]
    assert sum(truth == first for truth, first in decided) >= 0.95 * len(decided)
