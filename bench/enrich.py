"""How long ticket enrichment takes with a long history: 100,000 incidents beside 1,000, over HTTP.

Incidents, alerts, tickets and verdicts are written into a scratch record; those that are asked for have a verdict of
usual size, the others a short one. Asked are ticket keys, group labels shared by many incidents, fingerprints, and
tickets that nobody knows, in the formats that people use.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.accept import serving
from bench.report import generated
from domain import codec
from incidents import models
from web.api.access import add_token

FEW, MANY = 1_000, 100_000
FULL_EVERY, BATCH, SHARED = 50, 2_000, 20
REQUESTS, WARM = 400, 20
AIMS = {"enrich_p95_ms": "<= 300", "enrich_growth": "<= 2"}
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def measured() -> dict[str, float]:
    """95th percentiles in milliseconds, and the one of many incidents as a multiple of the one of few."""
    with tempfile.TemporaryDirectory(prefix="ig-bench-") as folder:
        env = {**os.environ, "INCIDENT_GRAPH_HOME": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0", "--no-input"], env=env, check=True)
        few = _p95_ms(env, 0, FEW)
        many = _p95_ms(env, FEW, MANY)
    return {"enrich_p95_ms": round(many, 1), "enrich_growth": round(many / few, 3)}


def _p95_ms(env: dict[str, str], have: int, wanted: int) -> float:
    code = f"import django; django.setup(); from bench.enrich import fill; print(fill({have}, {wanted}))"
    filling = [sys.executable, "-c", code]
    token = subprocess.run(filling, env=env, check=True, capture_output=True, text=True).stdout.strip()
    with serving(env) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        took_ms = [_ask_ms(client, asked) for asked in _questions(wanted)][WARM:]
    return statistics.quantiles(took_ms, n=20)[18]


def _questions(incidents: int) -> Iterator[dict[str, Any]]:
    """The same mixture each time: nine known ones, one that nobody knows."""
    chosen = random.Random(1)
    for number in range(REQUESTS + WARM):
        one = chosen.randrange(0, incidents, FULL_EVERY)
        by = [{"ticket": f"OPS-{one}"}, {"labels": ["on-call", f"ALERT{{{one // SHARED:064x}}}"]},
              {"alert": {"fingerprint": f"{one:016x}"}}][number % 3]  # fmt: skip
        asked: dict[str, Any] = {"ticket": f"NO-{one}", "labels": ["a", "b"]} if number % 10 == 9 else by
        yield {**asked, "format": ("json", "adf", "wiki", "markdown")[number % 4]}


def _ask_ms(client: httpx.Client, asked: dict[str, Any]) -> float:
    began = time.perf_counter()
    answer = client.post("/api/v1/tickets/enrich/", json=asked)
    took_ms = (time.perf_counter() - began) * 1000
    known = not asked.get("ticket", "").startswith("NO-")
    if answer.status_code != (200 if known else 404):
        raise SystemExit(f"{asked} was answered {answer.status_code}: {answer.text[:200]}")
    return took_ms


def fill(have: int, wanted: int) -> str:
    """Writes incidents `have` to `wanted` - 1 into the record of the environment; a token that may read."""
    source, _ = models.Source.objects.get_or_create(kind="alertmanager", name="bench", defaults={"token_hash": "x"})
    entities = [
        models.Entity.objects.get_or_create(
            key=f"Pod/c/n/pod-{n}", defaults={"kind": "Pod", "name": f"pod-{n}", "cluster": "c", "namespace": "n"}
        )[0]
        for n in range(500)
    ]
    for first in range(have, wanted, BATCH):
        _batch(source, entities, range(first, min(first + BATCH, wanted)))
    return add_token(f"bench-{wanted}", ["read"])


def _batch(source: models.Source, entities: list[models.Entity], numbers: range) -> None:
    rows = [_incident(n) for n in numbers]
    models.Incident.objects.bulk_create(rows)
    models.Alert.objects.bulk_create([
        models.Alert(
            source=source, identity=f"{n:016x}" if k == 0 else f"{n:x}-{k}", occurrence=str(n), firing=False,
            name="ProbeFailed", title=f"pod {n} is not ready", severity=3, started_at=row.started_at,
            ended_at=row.resolved_at, last_seen_at=row.resolved_at, parsed=b"{}", incident=row,
        )
        for n, row in zip(numbers, rows, strict=True) for k in range(2)
    ])  # fmt: skip
    models.TicketLink.objects.bulk_create([
        models.TicketLink(incident=row, key=key)
        for n, row in zip(numbers, rows, strict=True) for key in (f"OPS-{n}", f"ALERT{{{n // SHARED:064x}}}")
    ])  # fmt: skip
    bodies = {True: _verdict(8, 10), False: _verdict(1, 1)}
    models.VerdictRow.objects.bulk_create([
        models.VerdictRow(incident=row, revision=1, body=bodies[n % FULL_EVERY == 0], created_at=row.started_at)
        for n, row in zip(numbers, rows, strict=True)
    ])  # fmt: skip
    through = models.Incident.entities.through
    through.objects.bulk_create(
        [
            through(incident=row, entity=entities[(n * 7 + k) % 500])
            for n, row in zip(numbers, rows, strict=True)
            for k in (0, 1)
        ]
    )


def _incident(number: int) -> models.Incident:
    started = BEGAN + timedelta(minutes=2 * number)
    return models.Incident(
        id=uuid.UUID(int=number + 1), number=number + 1, title=f"pod {number} is not ready", state="resolved",
        severity=3, started_at=started, opened_at=started, last_alert_at=started,
        resolved_at=started + timedelta(minutes=9), first_cause="etcd-slow-disk", verdict_state="ranked",
    )  # fmt: skip


def _verdict(causes: int, terms: int) -> bytes:
    whole = generated().verdict
    assert whole is not None
    kept = tuple(replace(cause, terms=cause.terms[:terms]) for cause in whole.causes[:causes])
    if causes == 1:
        whole = replace(whole, ruled_out=(), missing=(), similar=(), tell_apart=())
    return codec.encode(replace(whole, causes=kept))
