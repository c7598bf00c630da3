"""Whether accepting stays as fast with a million stored deliveries as with a thousand."""

import sqlite3
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.accept import body, round_of, served

FEW, MANY, ROUNDS = 1_000, 1_000_000, 5
AIMS = {"accept_at_1m_rate": ">= 0.75", "accept_at_1m_p99": "<= 2"}
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO incidents_delivery (id, received_at, headers, body, state, reason, attempts, missing, source_id)
SELECT lower(hex(randomblob(16))), datetime('now', '-' || (i % 5000000) || ' seconds'), '{}', randomblob(600), 'done',
       '', 1, 0, (SELECT id FROM incidents_source LIMIT 1)
FROM n
"""


def measured() -> dict[str, float]:
    """Medians over interleaved rounds of a large record against a small one; both on this machine's disk."""
    content = body(1)
    rates, late = [], []
    with ExitStack() as both:
        small, large = (both.enter_context(served(_fill(count))) for count in (FEW, MANY))
        for number in range(ROUNDS + 1):
            few = round_of(f"{small[0]}/ingest/alertmanager/bench", small[1], content)
            many = round_of(f"{large[0]}/ingest/alertmanager/bench", large[1], content)
            if number:
                rates.append(many[0] / few[0])
                late.append(many[1] / few[1])
    return {
        "accept_at_1m_rate": round(statistics.median(rates), 3),
        "accept_at_1m_p99": round(statistics.median(late), 3),
    }


def _fill(count: int) -> Callable[[Path], None]:
    def fill(home: Path) -> None:
        with sqlite3.connect(home / "record.sqlite3") as record:
            record.execute("PRAGMA synchronous=OFF")
            record.execute(FILL, (count,))

    return fill
