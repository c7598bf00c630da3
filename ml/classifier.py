"""Classifies an evidence vector by cause: a standardised logistic regression, a small term of the ranking."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from domain.findings import Finding
from ml.features import vector

BOUND = 0.5
# How much a nat of the classifier counts in the ranking: little, as it was not trained on real incidents.
TRUST = 0.1


def new_pipeline() -> Pipeline:
    """Untrained; deterministic, as lbfgs starts from zero."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=500))


def fit(rows: NDArray[np.float64], labels: Sequence[str]) -> Pipeline:
    """Trained on rows of shape (n, measures) and n cause slugs."""
    return new_pipeline().fit(rows, np.array(labels))


class CauseClassifier:
    """A trained pipeline with its measures; implements the ranking's model protocol."""

    def __init__(self, pipeline: Pipeline, measures: Sequence[str], name: str, version: str) -> None:
        self.name, self.version = name, version
        self.measures = tuple(measures)
        self._pipeline = pipeline

    def log_odds(self, findings: Sequence[Finding]) -> Mapping[str, float]:
        """Per cause the log-probability against chance in nats, scaled by `TRUST`, clipped to +-`BOUND`, 3 decimals.

        Higher is more likely. Empty when nothing was measured.
        """
        row = vector({f.measure: f.seen for f in findings}, self.measures)
        if not row.any():
            return {}
        logs = self._pipeline.predict_log_proba(row.reshape(1, -1))[0] + np.log(len(self._pipeline.classes_))
        shrunk = np.clip(logs * TRUST, -BOUND, BOUND)
        return {str(c): round(float(v), 3) for c, v in zip(self._pipeline.classes_, shrunk, strict=True)}
