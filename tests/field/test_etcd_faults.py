"""Real faults of etcd outside the lab: the truth comes first, and of clusters with the same names the right one."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.replaying import replayed
from domain.verdict import VerdictState
from evidence.bundles import Bundle

TRUTHS = sorted((Path(__file__).parent / "bundles" / "etcd").glob("*.truth.json"))


@pytest.mark.parametrize("path", TRUTHS, ids=lambda p: p.name.removesuffix(".truth.json"))
def test_the_first_cause_is_an_accepted_one_and_of_the_right_entity(path: Path) -> None:
    truth: dict[str, Any] = json.loads(path.read_text("utf-8"))
    verdict = replayed(Bundle.load(path.with_name(path.name.replace(".truth.json", ".zip")))).verdict
    assert verdict.state is VerdictState.RANKED
    first = verdict.causes[0]
    assert first.cause in truth["accept"] and first.entity == truth["entity"], verdict.headline.en
    assert first.entity.rsplit("/", 1)[1] in verdict.headline.en
