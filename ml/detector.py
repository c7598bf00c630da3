"""Measures how unusual a series is: robust z-score against a seasonal median, ranked within the series' own past."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# The median absolute deviation of a normal distribution times this is its standard deviation.
MAD_TO_SIGMA = 1.4826
# A flat past would make any step infinite: the scale is at least this share of the level.
FLOOR_SHARE = 0.02
FLOOR_ABSOLUTE = 1e-9
MIN_PAST = 8


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The most unusual point of a series.

    `score` is its |robust z| (higher is more unusual). `p_value` is the share of the past that scored as high, from
    1 / (past + 1) to 1 (lower is more unusual). `value` and `usual` are in the unit of the series.
    """

    score: float
    p_value: float
    at_ms: int
    value: float
    usual: float


def anomaly(times_ms: Sequence[int], values: Sequence[float], at_ms: int, period_ms: int = 0) -> Anomaly | None:
    """The most unusual point at or after `at_ms`, against the points before it.

    With `period_ms` the usual level is the median of the same phase of earlier periods, where there are 3 or more.
    None when fewer than `MIN_PAST` finite points are before the moment, or none after it.
    """
    times = np.asarray(times_ms, dtype=np.int64)
    series = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(series)
    times, series = times[finite], series[finite]
    past = times < at_ms
    if int(past.sum()) < MIN_PAST or bool(past.all()):
        return None
    usual = usual_level(times, series, past, period_ms)
    z = np.abs(series - usual) / scale(series[past] - usual[past], usual[past])
    i = int(np.flatnonzero(~past)[np.argmax(z[~past])])
    return Anomaly(
        score=round(float(z[i]), 4), p_value=round(tail(z[past], float(z[i])), 6),
        at_ms=int(times[i]), value=float(series[i]), usual=round(float(usual[i]), 9),
    )  # fmt: skip


def usual_level(times: NDArray[np.int64], series: Floats, past: NDArray[np.bool_], period_ms: int) -> Floats:
    """Per point: the median of the past in the same phase (one of 24 slots of the period), else of all the past."""
    level = np.full(series.shape, np.median(series[past]))
    if period_ms <= 0:
        return level
    slots = (times % period_ms) * 24 // period_ms
    for slot in np.unique(slots):
        mine = slots == slot
        if int((mine & past).sum()) >= 3:
            level[mine] = np.median(series[mine & past])
    return level


def scale(residuals: Floats, levels: Floats) -> float:
    """Robust standard deviation of the residuals, with a floor relative to the level."""
    spread = float(np.median(np.abs(residuals - np.median(residuals)))) * MAD_TO_SIGMA
    floor = FLOOR_SHARE * float(np.median(np.abs(levels)))
    return max(spread, floor, FLOOR_ABSOLUTE)


def tail(past_scores: Floats, score: float) -> float:
    """Share of past scores at least as high, counting the score itself: 1 / (n + 1) .. 1."""
    return float((np.count_nonzero(past_scores >= score) + 1) / (len(past_scores) + 1))
