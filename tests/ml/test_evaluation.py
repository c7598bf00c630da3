"""The figures themselves, on cases small enough to be worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.calibration import fit, rescaled
from ml.evaluation import UNKNOWN, Case, brier, ece, figures, reliability, top_1, top_3


def case(truth: str = "a", shares: dict[str, float] | None = None, answer: str | None = None, **more: object) -> Case:
    given = {"a": 0.7, "b": 0.2} if shares is None else shares
    first = next(iter(given), "") if answer is None else answer
    rest = round(1 - sum(given.values()), 10)
    plain = {"name": "n", "declaration": "d", "family": "f", "healthy": False, "judged_healthy": False}
    return Case(**{**plain, **more}, truth=truth, shares=tuple(given.items()), unknown=rest, answer=first)  # type: ignore[arg-type]


def test_an_abstention_is_no_hit_however_the_truth_was_ranked() -> None:
    assert top_1(case()) == 1 and top_1(case(answer="")) == 0
    assert top_3(case(answer="")) == 1


def test_brier_is_zero_for_certainty_that_is_right_and_two_for_certainty_that_is_wrong() -> None:
    assert brier(case(shares={"a": 1.0})) == 0
    assert brier(case(shares={"b": 1.0})) == 2
    assert brier(case(truth="", shares={})) == 0


def test_the_reliability_table_has_the_share_of_right_answers_by_confidence() -> None:
    cases = [case(shares={"a": 0.95}), case(shares={"b": 0.95}), case(shares={"a": 0.3})]
    table = reliability(cases)
    assert [(b.low, b.cases, b.right) for b in table] == [(0.7, 1, 0.0), (0.9, 2, 0.5)]
    assert ece(cases) == pytest.approx((0.7 + 2 * 0.45) / 3)


def test_accuracy_counts_faults_only_and_recognition_the_others_only() -> None:
    healthy = case(truth="", shares={}, healthy=True)
    blamed = case(truth="", shares={"b": 0.9}, healthy=True)
    made = figures([case(), healthy, blamed])
    assert (made["top_1"].value, made["top_1"].cases) == (1, 1)
    assert (made["recognised"].value, made["recognised"].cases) == (0.5, 2)


def test_the_interval_is_drawn_over_declarations_so_that_seeds_of_one_add_no_certainty() -> None:
    few = [case(declaration="right"), case(answer="b", declaration="wrong")]
    many = [c for c in few for _ in range(50)]
    assert figures(few)["top_1"] == figures(few)["top_1"]
    assert (figures(many)["top_1"].low, figures(many)["top_1"].high) == (0, 1)


def test_a_figure_without_a_case_is_not_a_number_and_no_zero() -> None:
    assert math.isnan(figures([case(truth="", healthy=True)])["top_1"].value)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.floats(0.3, 5.0))
def test_a_temperature_keeps_the_order_and_the_sum(weights: list[float], factor: float) -> None:
    total = sum(weights) + 1.0
    shares = {f"c{i}": w / total for i, w in enumerate(sorted(weights, reverse=True))}
    scaled = rescaled(case(shares=shares), factor)
    assert sum(p for _, p in scaled.shares) + scaled.unknown == pytest.approx(1)
    assert [p for _, p in scaled.shares] == sorted((p for _, p in scaled.shares), reverse=True)


def test_fitting_softens_a_ranking_that_is_too_sure_of_itself() -> None:
    sure = [case(shares={"a": 0.98, "b": 0.01}, declaration=f"d{n}") for n in range(34)]
    wrong = [case(truth="b", shares={"a": 0.98, "b": 0.01}, declaration=f"w{n}") for n in range(6)]
    fitted = fit(sure + wrong, 1.0)
    assert fitted.temperature > 1.3 and fitted.ece_out_of_fold < fitted.ece_in_use


def test_unknown_is_right_when_no_cause_of_the_catalogue_is() -> None:
    assert case(truth="", shares={"a": 0.2}).confidence == (0.8, True)
    assert UNKNOWN not in dict(case().shares)
