"""Trains the cause classifier on scenarios drawn from the experts' terms; its card calls the data synthetic."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.classifier import fit
from ml.registry import Card, Trained, save

SCENARIOS_PER_CAUSE = 120
UNANSWERED = 0.25
DATA = "synthetic: scenarios drawn from the catalogue's expert terms; no real incident is in it"
NOT = (
    "Not learnt from incidents and not a measure of accuracy: it repeats what the experts' weights say together. "
    "Its voice in a verdict is at most half a nat."
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an expert expects of one cause: (measure, log-odds in nats that it is seen)."""

    cause: str
    odds: tuple[tuple[str, float], ...]


def train(expected: Sequence[Expectation], path: Path, *, version: str = "1", seed: int = 20) -> Card:
    """Draw scenarios, fit and save; the same expectations and seed give the same rows and data hash."""
    measures = sorted({m for e in expected for m, _ in e.odds})
    rows, labels = draw(expected, measures, seed)
    digest = hashlib.sha256(rows.tobytes() + "\n".join(labels).encode()).hexdigest()
    trained = Trained(
        pipeline=fit(rows, labels), measures=measures, version=version, data=DATA,
        data_hash=f"sha256:{digest}", what_it_is_not=NOT,
    )  # fmt: skip
    return save(trained, path)


def draw(expected: Sequence[Expectation], measures: Sequence[str], seed: int) -> tuple[NDArray[np.float64], list[str]]:
    """Rows of shape (n, measures) with -1, 0 and 1, and their n causes.

    A measure that an expert did not give for a cause is mostly not seen.
    """
    random = np.random.default_rng(seed)
    blocks, labels = [], []
    for expectation in sorted(expected, key=lambda e: e.cause):
        odds = dict(expectation.odds)
        chance = 1 / (1 + np.exp(-np.array([odds.get(m, -2.5) for m in measures])))
        shape = (SCENARIOS_PER_CAUSE, len(measures))
        seen = np.where(random.random(shape) < chance, 1.0, -1.0)
        blocks.append(np.where(random.random(shape) < UNANSWERED, 0.0, seen))
        labels += [expectation.cause] * SCENARIOS_PER_CAUSE
    return np.vstack(blocks), labels
