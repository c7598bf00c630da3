"""The detector knows the usual from the unusual, and looks at nothing it should not."""

import numpy as np

from ml.detector import anomaly

STEP = 15_000


def _times(n: int) -> list[int]:
    return [i * STEP for i in range(n)]


def test_a_jump_is_unusual_and_noise_is_not() -> None:
    noise = np.random.default_rng(1).normal(10, 1, 200)
    calm = anomaly(_times(200), list(noise), 190 * STEP)
    jump = anomaly(_times(200), [*noise[:195], *(noise[195:] + 30)], 190 * STEP)
    assert calm is not None and jump is not None
    assert jump.p_value < 0.01 < calm.p_value and jump.score > 20 > calm.score


def test_a_flat_past_has_a_floor_under_its_scale() -> None:
    found = anomaly(_times(50), [100.0] * 49 + [101.0], 49 * STEP)
    assert found is not None and found.score == 0.5


def test_a_daily_peak_is_usual_when_the_period_is_known() -> None:
    times = [h * 3_600_000 for h in range(24 * 8)]
    values = [100.0 if h % 24 == 9 else 10.0 + h % 2 for h in range(24 * 8)]
    at = (24 * 7 + 9) * 3_600_000
    known = anomaly(times[: 24 * 7 + 10], values[: 24 * 7 + 10], at, 86_400_000)
    unknown = anomaly(times[: 24 * 7 + 10], values[: 24 * 7 + 10], at)
    assert known is not None and unknown is not None and known.score < 1 < unknown.score


def test_too_little_past_and_not_a_number_give_no_anomaly() -> None:
    assert anomaly(_times(9), [1.0] * 9, 7 * STEP) is None
    assert anomaly(_times(9), [1.0] * 9, 9 * STEP) is None
    assert anomaly(_times(30), [float("nan")] * 30, 20 * STEP) is None


def test_the_unit_of_a_series_does_not_matter() -> None:
    values = np.random.default_rng(2).normal(10, 1, 100)
    seconds, milliseconds = (anomaly(_times(100), list(values * k), 90 * STEP) for k in (1, 1000))
    assert seconds is not None and milliseconds is not None and seconds.p_value == milliseconds.p_value
