"""With a connection that is missing, hangs, answers rubbish or half, the verdict comes, less sure, with the reason."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from causes.rank import rank
from causes.wording import LEAST_SPAN
from config.replaying import replayed
from domain.text import Text
from domain.verdict import Verdict, VerdictState
from evidence.bundles import Bundle
from evidence.recording import Answer

RECORDED = sorted(p for p in Path("bundles").iterdir() if (p / "bundle.json").exists())
Break = Callable[[Answer], list[Answer]]


def half(answer: Answer) -> list[Answer]:
    """Every second series only, and of these no sample of the last half."""
    try:
        body = json.loads(answer.answer)
    except ValueError:
        return [replace(answer, answer=answer.answer[: len(answer.answer) // 2])]
    if not isinstance(body.get("data"), dict):
        return [replace(answer, answer="{}")]
    rows = body["data"].get("result", [])[::2]
    for row in rows:
        row["values"] = row.get("values", [])[: len(row.get("values", [])) // 2]
    return [replace(answer, answer=json.dumps(body | {"data": body["data"] | {"result": rows}}))]


BROKEN: dict[str, Break] = {
    "missing": lambda _: [],
    "hanging": lambda a: [replace(a, status=0, answer="", error="ReadTimeout")],
    "rubbish": lambda a: [replace(a, answer="<html>\x00 gateway", status=200)],
    "failing": lambda a: [replace(a, answer="oops", status=502)],
    "half": half,
}


def connections(bundle: Bundle) -> list[str]:
    return sorted({a.connection for a in bundle.answers})


def probability(verdict: Verdict, cause: str) -> float:
    return next((c.probability for c in verdict.causes if c.cause == cause), 0.0)


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.name)
def test_a_broken_connection_never_makes_the_true_cause_surer_nor_another_one_certain(path: Path, kind: str) -> None:
    bundle = Bundle.load(path)
    assert bundle.truth is not None
    whole = replayed(bundle).verdict
    for connection in connections(bundle):
        answers = [b for a in bundle.answers for b in (BROKEN[kind](a) if a.connection == connection else [a])]
        verdict = replayed(replace(bundle, answers=tuple(answers))).verdict
        assert verdict.causes or verdict.state is VerdictState.UNKNOWN
        if kind == "half":
            continue
        assert probability(verdict, bundle.truth.cause) <= probability(whole, bundle.truth.cause) + 0.001, connection
        wrong = verdict.state is VerdictState.RANKED and verdict.causes[0].cause != bundle.truth.cause
        assert not wrong or bundle.truth.cause == "etcd-member-down", (connection, verdict.headline.en)


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.name)
def test_a_check_without_an_answer_makes_the_verdict_less_sure_and_is_named(path: Path) -> None:
    bundle = Bundle.load(path)
    assert bundle.truth is not None
    seen = replayed(bundle)
    scope, collected = seen.scope, seen.collected
    whole = rank(scope, collected.findings)
    gone = Text.rendered("the check hung", "检查无应答")
    for check in sorted({f.check for f in collected.findings}):
        lost = [replace(f, seen=None, why_unknown=gone) if f.check == check else f for f in collected.findings]
        verdict = rank(scope, lost)
        assert probability(verdict, bundle.truth.cause) <= probability(whole, bundle.truth.cause), check
        assert verdict.unknown_probability >= whole.unknown_probability, check
        opened = {
            t.measure for c in whole.causes for t in c.terms
            if abs(t.weight) >= LEAST_SPAN and t.measure in {f.measure for f in lost if f.check == check}
        }  # fmt: skip
        assert not opened or any("the check hung" in m.en for m in verdict.missing), check
