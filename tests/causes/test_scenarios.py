"""Each cause is the first one where its own evidence is given: recorded from a real fault, or written by hand."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from causes.catalogue import all_causes
from causes.rank import NEGLIGIBLE, rank
from domain.findings import Finding
from domain.text import Text
from domain.verdict import Role, VerdictState
from evidence.checks import all_checks
from tests.causes.scenes import scenarios

WRITTEN = scenarios()
# Without the one check that knows more, the verdict names the more general description of the same fault.
MORE_GENERAL = {
    "conntrack-exhausted": "network-path-drop",
    "cpu-throttled": "handler-blocked-on-dependency",
    "drain-shorter-than-endpoint-removal": "graceful-shutdown-noise",
    "etcd-membership-changed": "etcd-member-restart",
    "etcd-peer-address-wrong": "etcd-member-restart",
    "etcd-space-alarm": "etcd-quota-near",
    "goroutine-leak": "handler-blocked-on-dependency",
    "lock-contention": "handler-blocked-on-dependency",
    "no-fault-planned-work": "graceful-shutdown-noise",
    "pool-exhausted": "handler-blocked-on-dependency",
    "recent-deploy": "handler-crash",
    "single-thread-busy": "handler-blocked-on-dependency",
}
CHECK_OF = {m.slug: check.slug for check in all_checks() for m in check.measures}


def recorded_truths() -> set[str]:
    found = set()
    for path in Path("bundles").rglob("bundle.json"):
        truth = msgspec.json.decode(path.read_bytes()).get("truth") or {}
        found.add(truth.get("cause", ""))
    return found


def without(findings: list[Finding], check: str) -> list[Finding]:
    gone = Text.rendered("it did not answer", "无应答")
    return [
        replace(f, seen=None, value=None, why_unknown=gone) if CHECK_OF.get(f.measure, f.measure[:5]) == check else f
        for f in findings
    ]


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
def test_a_check_that_does_not_answer_moves_towards_unknown_and_never_to_a_wrong_cause(slug: str) -> None:
    scenario = WRITTEN[slug]
    findings = scenario.findings()
    whole = rank(scenario.scope(), findings)
    for check in sorted({CHECK_OF.get(f.measure, f.measure[:5]) for f in findings}):
        lost = rank(scenario.scope(), without(findings, check))
        assert lost.unknown_probability >= whole.unknown_probability - NEGLIGIBLE, check
        assert lost.state is VerdictState.UNKNOWN or lost.causes[0].cause in (slug, MORE_GENERAL.get(slug)), check
