"""Scores become probabilities that sum to 1, and unanswered questions move them to unknown."""

import pytest

from causes.catalogue import all_causes
from causes.probability import probabilities, unanswered_share
from tests.causes.scenes import finding

SLOW_DISK = all_causes()["etcd-slow-disk"]


@pytest.mark.parametrize("penalty", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("scores", [[], [0.0], [1 / 3] * 7, [9.5, -3.2, 0.1], [500.0, -500.0]])
def test_rounded_probabilities_sum_to_one(scores: list[float], penalty: float) -> None:
    found = probabilities(scores, penalty=penalty)
    assert len(found) == len(scores) + 1 and round(sum(found), 9) == 1.0


def test_a_higher_temperature_brings_probabilities_closer_together() -> None:
    cold, warm = probabilities([2.0], temperature=0.5), probabilities([2.0], temperature=2.0)
    assert cold[0] > warm[0] > warm[1] > cold[1]


def test_the_penalty_is_the_share_that_every_cause_gives_to_unknown() -> None:
    first, second, unknown = probabilities([1.0, 0.0])
    assert probabilities([1.0, 0.0], penalty=0.5) == pytest.approx(
        [first / 2, second / 2, unknown + (first + second) / 2], abs=1e-4
    )


def test_of_equal_remainders_the_earlier_position_is_rounded_up() -> None:
    assert probabilities([0.0, 0.0]) == [0.3334, 0.3333, 0.3333]


def test_nothing_asked_is_nothing_unanswered() -> None:
    assert unanswered_share([SLOW_DISK], {}) == 0.0


def test_one_answer_of_a_family_answers_for_all_of_it() -> None:
    answered, silent = finding("etcd-fsync-one-slow", False), finding("etcd-fsync-over-guidance", None)
    assert unanswered_share([SLOW_DISK], {silent.measure: silent}) == 1.0
    assert unanswered_share([SLOW_DISK], {f.measure: f for f in (answered, silent)}) == 0.0


def test_the_unanswered_share_goes_by_weight() -> None:
    light, heavy = finding("etcd-rtt-rise", None), finding("etcd-fsync-one-slow", True)
    assert 0 < unanswered_share([SLOW_DISK], {f.measure: f for f in (light, heavy)}) < 0.5
