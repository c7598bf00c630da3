"""How long the verdict of a recorded incident takes in a warm process, and how long scoring many series takes."""

import random
import statistics
import time
from pathlib import Path

from config.replaying import replayed
from evaluate.sets import bundles_in
from evidence.bundles import Bundle
from ml.detector import anomaly

ROUNDS = 2
SERIES, POINTS, STEP_MS = 1_000, 480, 15_000
AIMS = {"replay_p95_ms": "<= 150", "detector_1000_series_s": "<= 5"}


def measured() -> dict[str, float]:
    """p50 and p95 over the demo and the development episodes, warm; the detector on 2 h at 15 s."""
    loaded = [Bundle.load(path) for path in bundles_in([Path("bundles")]) if "kept" not in path.parts]
    for bundle in loaded:
        replayed(bundle)  # only warms up
    took = [_took_ms(bundle) for _ in range(ROUNDS) for bundle in loaded]
    return {
        "replay_p50_ms": round(statistics.median(took), 2),
        "replay_p95_ms": round(statistics.quantiles(took, n=20)[18], 2),
        "detector_1000_series_s": round(_detector_s(), 3),
    }


def _took_ms(bundle: Bundle) -> float:
    began = time.perf_counter()
    replayed(bundle)
    return (time.perf_counter() - began) * 1000


def _detector_s() -> float:
    dice = random.Random(1)
    times = [n * STEP_MS for n in range(POINTS)]
    series = [[dice.gauss(10, 1) for _ in times] for _ in range(SERIES)]
    began = time.perf_counter()
    for values in series:
        anomaly(times, values, times[-20])
    return time.perf_counter() - began
