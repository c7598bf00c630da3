"""Real faults of pods with other people's software, recorded: each is told right, or honestly not known."""

from pathlib import Path

import pytest

from config.replaying import replayed
from domain.verdict import Verdict, VerdictState
from evidence.bundles import Bundle

BUNDLES = Path(__file__).parent / "bundles"
# The first cause that each names; empty where the evidence that was recorded does not decide.
NAMED = {
    "A07-image-pull-fails": "image-pull-fails",
    "B02-node-event-loop-blocked": "",
    "B06-configmap-breaks-nginx": "recent-deploy",
    "B11-wrong-port": "wrong-probe-target",
    "C04-image-pull": "image-pull-fails",
    "C16-alert-only-image": "image-pull-fails",
    "E01-node-event-loop-blocked": "",
    "E04-nginx-502": "upstream-dead",
    "E09-postgres-connections-exhausted": "pool-exhausted",
}


def verdict(name: str) -> Verdict:
    return replayed(Bundle.load(BUNDLES / f"{name}.zip")).verdict


@pytest.mark.parametrize("name", NAMED)
def test_the_recorded_fault_is_told_right_or_not_decided(name: str) -> None:
    found = verdict(name)
    if not NAMED[name]:
        assert found.state is VerdictState.UNKNOWN
        return
    assert (found.state, found.causes[0].cause) == (VerdictState.RANKED, NAMED[name])


@pytest.mark.parametrize("name", ["B02-node-event-loop-blocked", "E01-node-event-loop-blocked"])
def test_without_its_cpu_time_a_blocked_thread_is_no_blocked_handler_above_a_half(name: str) -> None:
    assert all(cause.probability <= 0.5 for cause in verdict(name).causes)


def test_no_success_takes_longer_than_its_limit() -> None:
    found = replayed(Bundle.load(BUNDLES / "B02-node-event-loop-blocked.zip")).collected.findings
    near = {f.measure: f for f in found if f.measure in ("spec-timeout-below-latency", "kubelet-probe-near-timeout")}
    assert all(f.value is None or f.value <= 3 for f in near.values()) and len(near) == 2


def test_a_startup_probe_that_is_not_there_holds_nothing_back() -> None:
    said = [entry.sentence.en for entry in verdict("A07-image-pull-fails").ruled_out]
    assert "A startup probe holds liveness back until the start is over." not in said
