"""Three gates over every recorded incident: evidence counts, noise does not, and another witness takes no truth away."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest

from config.replaying import replayed
from domain.connections import BlackboxDecl, KubernetesDecl, PrometheusDecl
from domain.verdict import Outcome, Verdict, VerdictState
from evidence.bundles import Bundle
from evidence.recording import Answer
from investigate.replay import Replayed

FOLDERS = (
    "bundles/episodes/development", "bundles/episodes/kept", "bundles/field/development", "bundles/field/kept",
    "tests/field/bundles", "tests/field/bundles/etcd", "tests/field/bundles/blackbox",
)  # fmt: skip
PATHS = [path for folder in FOLDERS for path in sorted(Path(folder).glob("*.zip"))]
# What supports a cause with less than this is no deciding evidence, in nats.
DECIDING = 0.5
NOISE = 500


@cache
def judged(path: Path) -> tuple[Bundle, Replayed]:
    bundle = Bundle.load(path)
    return bundle, replayed(bundle)


@pytest.fixture(params=PATHS, ids=lambda p: p.stem)
def path(request: pytest.FixtureRequest) -> Iterator[Path]:
    yield request.param


def ranking(verdict: Verdict) -> list[tuple[str, float]]:
    return [*((c.cause, c.probability) for c in verdict.causes), ("unknown", verdict.unknown_probability)]


def asks(answer: Answer, queries: set[str]) -> bool:
    """Whether a recorded answer is one to any of these questions, as a finding shows them."""
    if answer.body and (asked := parse_qs(answer.body).get("query")):
        return asked[0] in queries
    probed = answer.method == "PROBE" or answer.path.endswith("/probe")
    words = {word.strip(",;") for query in queries for word in query.split()}
    return answer.path in words or (probed and "PROBE" in words)


def without_deciding(bundle: Bundle, verdict: Verdict) -> Bundle:
    """The bundle without the answers, and where it was told without asking, the changes, that decided for the first."""
    deciding = [t for t in verdict.causes[0].terms if t.outcome is Outcome.FOR and t.weight >= DECIDING]
    queries = {t.query for t in deciding if t.query}
    changes = bundle.changes if all(t.query for t in deciding) else ()
    return replace(bundle, answers=tuple(a for a in bundle.answers if not asks(a, queries)), changes=changes)


def test_without_its_deciding_evidence_a_verdict_moves(path: Path) -> None:
    bundle, first = judged(path)
    if first.verdict.state is VerdictState.UNKNOWN:
        return
    cause, moved = first.verdict.causes[0], first.verdict
    # A second witness may say the same of each fact, so what decides then is taken away too.
    for _ in range(6):
        poorer = without_deciding(bundle, moved)
        if poorer == bundle:
            break
        bundle, moved = poorer, replayed(poorer).verdict
        if moved.state is VerdictState.UNKNOWN or share(moved, cause.cause) < cause.probability:
            return
    by_alert = [t for t in moved.causes[0].terms if t.outcome is Outcome.FOR and t.weight >= DECIDING and not t.query]
    assert by_alert, "what decides is nowhere in the bundle"


def share(verdict: Verdict, cause: str) -> float:
    return next((c.probability for c in verdict.causes if c.cause == cause), 0.0)


def noisy(answer: Answer) -> Answer:
    """The answer with events of five hundred pods that are nobody's."""
    if not answer.path.endswith("/events") or answer.status != 200:
        return answer
    listed = json.loads(answer.answer)
    for number in range(NOISE):
        name = f"noise-{number}"
        about = {"kind": "Pod", "name": name, "namespace": "elsewhere"}
        listed.setdefault("items", []).append(
            {"metadata": {"name": name, "namespace": "elsewhere", "creationTimestamp": "2020-01-01T00:00:00Z"},
             "involvedObject": about, "reason": "Unhealthy", "message": "Readiness probe failed: connection refused",
             "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2030-01-01T00:00:00Z", "count": 3}
        )  # fmt: skip
    return replace(answer, answer=msgspec.json.encode(listed).decode())


def test_five_hundred_observations_of_something_else_change_nothing(path: Path) -> None:
    bundle, first = judged(path)
    strange = [
        Answer("stranger", "POST", "/api/v1/query_range", "", f"query=noise_{n}", 200, '{"status":"success"}')
        for n in range(NOISE)
    ]
    loud = replayed(replace(bundle, answers=(*map(noisy, bundle.answers), *strange))).verdict
    assert ranking(loud) == ranking(first.verdict)


def named(bundle: Bundle, *without: type) -> str:
    """The decided first cause when these kinds of witness are not declared; empty where it is unknown."""
    declared = bundle.connections
    if PrometheusDecl in without:
        declared = msgspec.structs.replace(declared, prometheus=[], blackbox=[])
    if KubernetesDecl in without:
        declared = msgspec.structs.replace(declared, kubernetes=[])
    if BlackboxDecl in without:
        declared = msgspec.structs.replace(declared, blackbox=[])
    verdict = replayed(replace(bundle, connections=declared)).verdict
    return verdict.causes[0].cause if verdict.state is not VerdictState.UNKNOWN else ""


# Where another witness still takes the truth away: one less is progress, one more is a fault.
NOT_YET = {
    "field-gate-closed-s3", "field-gunicorn-memory-s1", "field-one-cluster-memory-s3",
    "field-one-cluster-upstream-dead-s1", "field-planned-downtime-s1", "field-redis-disk-full-s3",
    "field-redis-killed-s3", "field-rollout-crashes-s1", "field-rollout-harmful-s2", "probe-cpu-throttled-s3",
}  # fmt: skip


def test_another_witness_takes_no_truth_away(path: Path) -> None:
    bundle, first = judged(path)
    truth = bundle.truth.cause if bundle.truth else ""
    if not truth or not bundle.connections.kubernetes or not bundle.connections.prometheus:
        return
    right = first.verdict.state is not VerdictState.UNKNOWN and first.verdict.causes[0].cause == truth
    fewer = (named(bundle, PrometheusDecl), named(bundle, KubernetesDecl), named(bundle, BlackboxDecl))
    assert (not right and truth in fewer) is (path.stem in NOT_YET)
