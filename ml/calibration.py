"""One temperature for the ranking, fitted out of fold: the only calibration that few labels can bear."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.optimize import minimize_scalar

from ml.evaluation import UNKNOWN, Case, ece

BOUNDS = (0.25, 8.0)
# A probability that was rounded to nothing still means something below one in ten thousand.
LEAST = 5e-5


@dataclass(frozen=True, slots=True)
class Fitted:
    """`temperature` over all cases; `ece_in_use` with the one in use, `ece_out_of_fold` with each declaration judged
    by a temperature that was fitted without it."""

    temperature: float
    ece_in_use: float
    ece_out_of_fold: float


def rescaled(case: Case, factor: float) -> Case:
    """The case as it would be at `factor` times the temperature in use; the order of causes stays."""
    powers = [max(LEAST, p) ** (1 / factor) for p in (*(p for _, p in case.shares), case.unknown)]
    total = math.fsum(powers)
    shares = tuple((cause, p / total) for (cause, _), p in zip(case.shares, powers, strict=False))
    return replace(case, shares=shares, unknown=powers[-1] / total)


def fit(cases: Sequence[Case], in_use: float) -> Fitted:
    """The temperature that makes the truths most likely, and what it does to the calibration error."""
    folds = sorted({c.declaration for c in cases})
    outside = [
        rescaled(case, _factor([c for c in cases if c.declaration != fold]))
        for fold in folds for case in cases if case.declaration == fold
    ] if len(folds) > 1 else list(cases)  # fmt: skip
    return Fitted(in_use * _factor(cases), ece(cases), ece(outside))


def _factor(cases: Sequence[Case]) -> float:
    found = minimize_scalar(lambda factor: _surprise(cases, factor), bounds=BOUNDS, method="bounded")
    return float(round(found.x, 4))


def _surprise(cases: Sequence[Case], factor: float) -> float:
    """Mean negative log probability of the truth, in nats."""
    total = 0.0
    for case in cases:
        scaled = rescaled(case, factor)
        shares = {**dict(scaled.shares), UNKNOWN: scaled.unknown}
        total -= math.log(max(LEAST, shares.get(case.truth or UNKNOWN, LEAST)))
    return total / max(1, len(cases))
