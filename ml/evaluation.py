"""Accuracy, calibration and abstention of a ranking over judged cases, with intervals over declarations."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10
DRAWS = 2000
SEED = 20_260_101
UNKNOWN = "unknown"
SURE = 0.7


@dataclass(frozen=True, slots=True)
class Case:
    """One judged incident whose truth is known.

    `declaration` names what was done (its seeds are not independent of each other), `family` the kind of fault.
    `truth` is a cause's slug, empty when no cause of the catalogue is right. `healthy`: nothing was broken.
    `shares` are (cause, probability) in order of position; with `unknown` they sum to 1. `answer` is the first cause
    if the verdict decided, empty if it abstained. `judged_healthy`: the verdict is that nothing is broken.
    """

    name: str
    declaration: str
    family: str
    truth: str
    healthy: bool
    shares: tuple[tuple[str, float], ...]
    unknown: float
    answer: str
    judged_healthy: bool

    @property
    def faulty(self) -> bool:
        """Whether there is a cause to be found."""
        return bool(self.truth) and not self.healthy

    @property
    def position(self) -> int:
        """Position of the truth, 0 when it is not listed."""
        return next((i for i, (cause, _) in enumerate(self.shares, 1) if cause == self.truth), 0)

    @property
    def recognised(self) -> bool:
        """Whether no fault was named: the verdict is unknown or no fault. Of use for a case without a fault."""
        return not self.answer or (self.judged_healthy and self.healthy)

    @property
    def confidence(self) -> tuple[float, bool]:
        """Highest probability given (0..1), and whether what it was given to is right."""
        cause, share = max(((c, p) for c, p in self.shares), key=lambda pair: pair[1], default=(UNKNOWN, 0.0))
        if self.unknown >= share:
            return self.unknown, not self.truth
        return share, cause == self.truth


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or mean with its 95 % interval by bootstrap over declarations; `cases` is how many it is taken over."""

    value: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of the reliability table: mean confidence and share of right answers of its cases."""

    low: float
    high: float
    cases: int
    confidence: float
    right: float


def top_1(case: Case) -> float:
    """1 when the verdict decided and its cause is the truth. An abstention counts as wrong."""
    return float(case.answer == case.truth)


def top_3(case: Case) -> float:
    """1 when the truth is among the first three listed causes."""
    return float(0 < case.position <= 3)


def reciprocal_rank(case: Case) -> float:
    """1 / position of the truth, 0 when it is not listed."""
    return 1 / case.position if case.position else 0.0


def abstained(case: Case) -> float:
    """1 when no cause was decided on: for a case with a fault, a wrong abstention."""
    return float(not case.answer)


def recognised(case: Case) -> float:
    """1 when a case without a fault was called unknown or no fault."""
    return float(case.recognised)


def denied(case: Case) -> float:
    """1 when something was broken and the verdict is that nothing is."""
    return float(case.judged_healthy and not case.healthy)


def surely_wrong(case: Case) -> float:
    """1 when a cause was named with a probability of at least `SURE` and is not the truth."""
    return float(bool(case.answer) and case.answer != case.truth and dict(case.shares).get(case.answer, 0.0) >= SURE)


def brier(case: Case) -> float:
    """Multi-class Brier score, 0 (best) to 2: squared distance between probabilities and the truth."""
    truth = case.truth or UNKNOWN
    shares = {**dict(case.shares), UNKNOWN: case.unknown}
    wrong = sum(p**2 for cause, p in shares.items() if cause != truth)
    return wrong + (1 - shares.get(truth, 0.0)) ** 2


FAULTY: Mapping[str, Callable[[Case], float]] = {
    "top_1": top_1, "top_3": top_3, "mrr": reciprocal_rank, "wrong_abstention": abstained,
}  # fmt: skip
OTHER: Mapping[str, Callable[[Case], float]] = {"recognised": recognised}
ALL: Mapping[str, Callable[[Case], float]] = {"brier": brier, "abstention": abstained, "surely_wrong": surely_wrong}


def figures(cases: Sequence[Case]) -> dict[str, Figure]:
    """Every figure over the cases it applies to: accuracy over faults, recognition over the others, ECE over all."""
    faulty, other = [c for c in cases if c.faulty], [c for c in cases if not c.faulty]
    made = {name: averaged(faulty, of) for name, of in FAULTY.items()}
    made |= {name: averaged(other, of) for name, of in OTHER.items()}
    made |= {name: averaged(cases, of) for name, of in ALL.items()}
    made["denied"] = averaged([c for c in cases if not c.healthy], denied)
    return made | {"ece": _bootstrapped(cases, ece)}


def averaged(cases: Sequence[Case], of: Callable[[Case], float]) -> Figure:
    """The mean of one figure over cases, with its interval; NaN when there is no case."""
    return _bootstrapped(cases, lambda drawn: sum(of(c) for c in drawn) / len(drawn))


def _bootstrapped(cases: Sequence[Case], of: Callable[[Sequence[Case]], float]) -> Figure:
    if not cases:
        return Figure(math.nan, math.nan, math.nan, 0)
    groups = [[c for c in cases if c.declaration == d] for d in sorted({c.declaration for c in cases})]
    draws = np.random.default_rng(SEED).integers(0, len(groups), size=(DRAWS, len(groups)))
    values = [of([c for g in drawn for c in groups[g]]) for drawn in draws]
    low, high = np.quantile(values, (0.025, 0.975))
    return Figure(of(cases), float(low), float(high), len(cases))


def reliability(cases: Iterable[Case]) -> list[Bin]:
    """Ten bins of equal width over the highest probability given; empty bins are left out."""
    rows: dict[int, list[tuple[float, bool]]] = {}
    for case in cases:
        confidence = case.confidence
        rows.setdefault(min(BINS - 1, int(confidence[0] * BINS)), []).append(confidence)
    return [_bin(number, rows[number]) for number in sorted(rows)]


def _bin(number: int, rows: list[tuple[float, bool]]) -> Bin:
    mean = sum(p for p, _ in rows) / len(rows)
    right = sum(1 for _, good in rows if good) / len(rows)
    return Bin(number / BINS, (number + 1) / BINS, len(rows), mean, right)


def ece(cases: Sequence[Case]) -> float:
    """Expected calibration error, 0 (best) to 1: mean distance of confidence and accuracy, weighted by cases."""
    return sum(b.cases * abs(b.confidence - b.right) for b in reliability(cases)) / len(cases) if cases else math.nan


def by(cases: Sequence[Case], key: Callable[[Case], str]) -> dict[str, list[Case]]:
    """Cases in groups, in order of the groups' names."""
    return {name: [c for c in cases if key(c) == name] for name in sorted({key(c) for c in cases})}
