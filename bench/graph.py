"""Figures of the graph, as ratios of one interleaved run.

Writing is compared with one MERGE per row of the same shape count; `similar` with a point look-up on the
same server, so that a slow machine changes the milliseconds and not the ratios.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from domain.alerts import AlertState, Severity
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.findings import Finding
from domain.snapshot import AlertRecord, Confirmation, IncidentSnapshot
from domain.text import Text, verbatim
from domain.verdict import Outcome, RankedCause, TermResult, Verdict, VerdictState
from graph import queries
from graph.engine import EmbeddedGraph
from graph.store import INCIDENTS_PER_TRANSACTION, GraphStore, open_graph

MEASURES = tuple(f"measure-{n}" for n in range(60))
CAUSES = tuple(f"cause-{n}" for n in range(30))
START = datetime(2026, 1, 1, tzinfo=UTC)
ASKED_PER_ROUND = 20
AIMS = {"graph_remember_late_to_early": "<= 1.5", "graph_similar_p95_ms": "<= 100"}


def generated(number: int) -> IncidentSnapshot:
    """Incident `number`, made up but always the same: 3 pods of 300 services, 15 findings, 5 causes."""
    dice = random.Random(number)
    service = EntityRef(EntityKind.WORKLOAD, f"service-{dice.randrange(300)}", "prod", "shop")
    pods = tuple(EntityRef(EntityKind.POD, f"{service.name}-{n}", "prod", "shop") for n in dice.sample(range(10), 3))
    started = START + timedelta(minutes=number)
    findings = tuple(
        Finding(m, "check", dice.random() < 0.3, verbatim(m), dice.random(), "s") for m in dice.sample(MEASURES, 15)
    )
    verdict = _verdict(str(number), dice, findings, started)
    confirmed = (Confirmation(verdict.causes[0].cause, "ann", started),) if dice.random() < 0.3 else ()
    alert = AlertRecord(
        f"alert-{number}",
        "am",
        f"Alert{dice.randrange(40)}",
        "title",
        Severity.HIGH,
        AlertState.RESOLVED,
        started,
        started,
        tuple(pod.key for pod in pods),
    )
    return IncidentSnapshot(
        id=str(number),
        number=number,
        title=f"Incident {number}",
        state="resolved",
        severity=Severity.HIGH,
        started_at=started,
        resolved_at=started,
        alerts=(alert,),
        entities=pods,
        relations=tuple(Relation(pod.key, RelationKind.PART_OF, service.key) for pod in pods),
        findings=findings,
        verdict=verdict,
        confirmed=confirmed,
        rejected=(),
        changes=(),
        tickets=(),
    )


def _verdict(incident: str, dice: random.Random, findings: tuple[Finding, ...], as_of: datetime) -> Verdict:
    terms = tuple(TermResult(f.measure, Outcome.FOR, dice.random(), f.sentence) for f in findings[:4])
    causes = tuple(
        RankedCause(slug, "layer", verbatim(slug), n + 1, (0.6, 0.2, 0.1, 0.05, 0.03)[n], terms)
        for n, slug in enumerate(dice.sample(CAUSES, 5))
    )
    return Verdict(
        incident=incident,
        revision=1,
        state=VerdictState.RANKED,
        headline=Text(""),
        as_of=as_of,
        causes=causes,
        unknown_probability=0.02,
        ruled_out=(),
        missing=(),
        similar=(),
        ranker_name="rules",
        ranker_version="1",
        input_hash="",
    )


def timed_ms(work: Callable[[], object]) -> float:
    """How long it took, milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def loaded(store: GraphStore, incidents: int) -> list[float]:
    """Fill the graph; milliseconds per incident of each batch."""
    taken = []
    for at in range(0, incidents, INCIDENTS_PER_TRANSACTION):
        batch = [generated(n) for n in range(at, min(at + INCIDENTS_PER_TRANSACTION, incidents))]
        taken.append(timed_ms(lambda batch=batch: store.remember(batch)) / len(batch))
    return taken


def asked(store: GraphStore, incidents: int, rounds: int) -> dict[str, float]:
    """Medians over the rounds; each round asks all kinds in turn."""
    looked, similar, drawn, written = [], [], [], []
    for number in range(rounds * ASKED_PER_ROUND):
        asking = replace(generated(number), id="asking", started_at=START + timedelta(minutes=incidents))
        some = str(number * 97 % incidents)
        looked.append(timed_ms(lambda some=some: store.read(queries.ONE_INCIDENT, incident=some)))
        similar.append(timed_ms(lambda asking=asking: store.similar(asking)))
        drawn.append(timed_ms(lambda some=some: store.neighbourhood(some, 2)))
        one = generated(int(some))
        written.append(timed_ms(lambda one=one: store.remember([one])))
    p50 = statistics.median(looked)
    return {
        "point_lookup_p50_ms": p50,
        "similar_p50_ms": statistics.median(similar),
        "similar_p95_ms": statistics.quantiles(similar, n=20)[18],
        "similar_to_lookup": statistics.median(similar) / p50,
        "neighbourhood_to_lookup": statistics.median(drawn) / p50,
        "remember_one_to_lookup": statistics.median(written) / p50,
        "remember_one_p50_ms": statistics.median(written),
    }


def measured(incidents: int = 5_000, rounds: int = 5) -> dict[str, float]:
    """All figures of the embedded graph with that many incidents in it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        engine = EmbeddedGraph(Path(folder), Path(folder) / "run")
        address = engine.start()
        try:
            store = open_graph(address.uri, address.user, address.password)
            store.ensure_schema()
            figures = _figures(store, incidents, rounds)
            figures["resident_mib"] = psutil.Process(engine.pid).memory_info().rss / 2**20
            store.close()
        finally:
            engine.stop()
    return {f"graph_{name}": round(value, 3) for name, value in figures.items()}


def _figures(store: GraphStore, incidents: int, rounds: int) -> dict[str, float]:
    per_incident = loaded(store, incidents)
    half = len(per_incident) // 2
    # Writing must not slow down with what is already remembered.
    growth = statistics.median(per_incident[half:]) / statistics.median(per_incident[: half or 1])
    return {
        "incidents": float(incidents),
        "remember_batched_ms_per_incident": statistics.median(per_incident),
        "remember_late_to_early": growth,
        **asked(store, incidents, rounds),
    }
