"""How long one report takes in each form, on a large incident: `python -m bench.report [rounds]`.

Building, rendering and shortening together, in CPU time of the thread: a report waits for nothing, so an idle machine
takes as long. The wall time is given beside it.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from domain.alerts import Severity
from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from domain.verdict import Outcome, RankedCause, RuledOut, TermResult, Verdict, VerdictState
from tickets.render import formats, render
from tickets.report import Known, build

AIMS = {"report_p95_ms": "< 5"}
AT = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS, WARM = 100, 10
KNOWN = Known(prometheus={"main": "http://prometheus.example:9090"})
QUERY = 'histogram_quantile(0.99, sum by (instance, le) (rate(etcd_wal_fsync_duration_seconds_bucket{{n="{n}"}}[5m])))'


def sentence(number: int) -> Text:
    """About as long as the catalogue's own, with the characters that alerts hold."""
    return Text(
        "The write-ahead log of etcd-{number} (10.0.0.{number}:2379) took 390 ms at P99; guidance: <= 10 ms * [1].",
        number=number,
    )


def generated() -> IncidentSnapshot:
    """An incident with more of everything than a report shows."""
    terms = tuple(
        TermResult(f"m{n}", (Outcome.FOR, Outcome.AGAINST, Outcome.UNKNOWN)[n % 3], n / 10, sentence(n),
                   QUERY.format(n=n), AT, AT + timedelta(minutes=30), 0.39, "s", 0.01, "main")
        for n in range(24)
    )  # fmt: skip
    steps = (sentence(0), sentence(1), sentence(2))
    causes = tuple(RankedCause(f"c{n}", "layer", sentence(n), n + 1, 0.5 / (n + 1), terms, steps) for n in range(30))
    ruled_out = tuple(RuledOut(f"r{n}", sentence(n)) for n in range(20))
    alike = tuple(SimilarIncident(f"i{n}", f"Incident {n}", 0.7, (), f"c{n}", True, "new disk", 12) for n in range(10))
    verdict = Verdict(
        "i", 3, VerdictState.RANKED, sentence(0), AT, causes, 0.1, ruled_out,
        tuple(sentence(n) for n in range(20)), alike, "rules", "1", "", tuple(sentence(n) for n in range(5)),
    )  # fmt: skip
    return IncidentSnapshot(
        "i", 7, "etcd has no leader", "open", Severity.HIGH, AT, None, (), (), (), (), verdict, (), (), (), (),
        "https://graph.example/incidents/i/",
    )  # fmt: skip


def by_form(rounds: int = ROUNDS, clock: Callable[[], float] = time.thread_time) -> dict[str, float]:
    """95th percentile of each form in milliseconds; the forms take turns, so a busy machine hits all alike."""
    snapshot, took = generated(), {name: list[float]() for name in formats()}
    for number in range(rounds + WARM):
        for name, all_ in took.items():
            begun = clock()
            render(build(snapshot, known=KNOWN), name, ("en", "zh")[number % 2])
            all_.append((clock() - begun) * 1000)
    return {name: statistics.quantiles(all_[WARM:], n=20)[18] for name, all_ in took.items()}


def measured() -> dict[str, float]:
    """The slowest form's 95th percentile in milliseconds."""
    return {
        "report_p95_ms": round(max(by_form().values()), 3),
        "report_clock_p95_ms": round(max(by_form(clock=time.perf_counter).values()), 3),
    }


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(json.dumps({name: round(value, 3) for name, value in by_form(asked).items()}, indent=2))
