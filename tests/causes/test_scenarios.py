"""Each cause is the first one where its own evidence is given: recorded from a real fault, or written by hand."""

from pathlib import Path

import msgspec
import pytest

from causes.catalogue import all_causes
from causes.rank import rank
from domain.verdict import Role, VerdictState
from tests.causes.scenes import scenarios

WRITTEN = scenarios()


def recorded_truths() -> set[str]:
    found = set()
    for path in Path("bundles").rglob("bundle.json"):
        truth = msgspec.json.decode(path.read_bytes()).get("truth") or {}
        found.add(truth.get("cause", ""))
    return found


@pytest.mark.parametrize("slug", WRITTEN)
def test_the_written_evidence_of_a_cause_puts_it_first_and_decided(slug: str) -> None:
    scenario = WRITTEN[slug]
    assert scenario.synthetic and scenario.cause == slug
    verdict = rank(scenario.scope(), scenario.findings())
    state = VerdictState.NO_FAULT if all_causes()[slug].no_fault else VerdictState.RANKED
    assert (verdict.state, verdict.causes[0].cause, verdict.causes[0].role) == (state, slug, Role.PRIMARY)


def test_every_cause_has_a_recorded_fault_or_a_written_scenario() -> None:
    assert set(all_causes()) <= recorded_truths() | set(WRITTEN)


@pytest.mark.parametrize("slug", WRITTEN)
def test_losing_any_one_speaking_witness_never_raises_the_cause(slug: str) -> None:
    scenario = WRITTEN[slug]
    before = rank(scenario.scope(), scenario.findings()).causes[0].probability
    for lost in scenario.seen:
        kept = [f for f in scenario.findings() if f.measure != lost]
        after = {c.cause: c.probability for c in rank(scenario.scope(), kept).causes}
        assert after.get(slug, 0.0) <= before, lost
