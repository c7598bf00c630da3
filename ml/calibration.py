"""Fits one temperature for the ranking and cross-validates it; few labels allow no finer calibration."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.optimize import minimize_scalar

from ml.evaluation import UNKNOWN, Case, ece

BOUNDS = (0.25, 8.0)
# The value used for a probability that was rounded to 0.
LEAST = 5e-5


@dataclass(frozen=True, slots=True)
class Fitted:
    """The temperature fitted on all cases, and expected calibration errors (0 is best, 1 is worst).

    `ece_in_use` is at the temperature in use; `ece_out_of_fold` is cross-validated: the cases of each declaration are
    judged at a temperature that was fitted without them.
    """

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
    return Fitted(in_use * _factor(cases), ece(cases), ece(_cross_validated(cases)))


def _cross_validated(cases: Sequence[Case]) -> list[Case]:
    """Each declaration's cases at a temperature fitted on all other declarations; unchanged if there is only one."""
    declarations = sorted({case.declaration for case in cases})
    if len(declarations) < 2:
        return list(cases)
    rescaled_cases = []
    for left_out in declarations:
        factor = _factor([case for case in cases if case.declaration != left_out])
        rescaled_cases += [rescaled(case, factor) for case in cases if case.declaration == left_out]
    return rescaled_cases


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
