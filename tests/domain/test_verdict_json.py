"""The outward verdict has the contract's keys."""

from causes.rank import rank
from causes.unusual import unusual_findings
from domain.findings import Finding, Point, Series
from domain.text import Text
from domain.verdict_json import to_contract
from tests.causes.scenes import START, findings, scope


def test_a_verdict_has_every_key_of_the_contract_and_its_chinese_twin() -> None:
    body = to_contract(rank(scope("etcd"), findings("etcd-fsync-one-slow"), revision=3))
    keys = "incident revision state headline as_of causes ruled_out missing similar ranker input_hash headline_zh"
    assert set(keys.split()) <= set(body)
    first = body["causes"][0]  # type: ignore[index]
    assert {"cause", "layer", "title", "position", "probability", "terms", "next_steps"} <= set(first)
    assert (first["role"], first["entity"], first["consequences"]) == ("primary", "EtcdMember/prod-a//etcd1", [])
    assert body["next_question"] is None and "next_question_zh" in body
    term = "measure outcome weight sentence query from to value unit limit connection why_unknown"
    assert set(term.split()) <= set(first["terms"][0])
    assert body["as_of"] == "2026-03-01T10:05:00Z"


def test_a_jump_of_one_series_becomes_the_unusual_finding() -> None:
    start = round(START.timestamp() * 1000)
    calm = tuple(Point(start + 15_000 * i, 5 + i % 3 * 0.1) for i in range(-80, 20))
    jump = tuple(Point(p.at_ms, p.value + (40 if p.at_ms >= start else 0)) for p in calm)
    finding = Finding("m", "c", True, Text.rendered("s", "句"), series=(Series("calm", calm), Series("jump", jump)))
    (found,) = unusual_findings([finding], START)
    assert (found.seen, found.subject, found.items[0].name) == (True, "jump", "jump")
    assert unusual_findings([finding], START) == (found,)
    assert unusual_findings([], START) == ()
