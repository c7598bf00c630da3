"""Faults of the recorded field whose first reading was wrong: what was learnt from each must stay learnt."""

import pytest

from config.replaying import replayed
from domain.verdict import VerdictState
from evidence.bundles import Bundle
from lab.recording import place_of

NAMED = {
    "field-etcd-leader-frozen": "etcd-leader-stalled",
    "field-grpc-where-none": "wrong-probe-target",
    "field-liveness-asks-backend": "liveness-checks-dependency",
    "field-liveness-too-early": "liveness-before-start",
}


@pytest.mark.parametrize("name", NAMED)
def test_the_fault_is_told_right(name: str) -> None:
    found = replayed(Bundle.load(place_of(name, 1))).verdict
    assert (found.state, found.causes[0].cause) == (VerdictState.RANKED, NAMED[name])


def test_a_pod_that_an_earlier_rollout_removed_is_no_noise_of_a_shutdown() -> None:
    found = replayed(Bundle.load(place_of("field-rollout-innocent", 1)))
    assert "graceful-shutdown-noise" not in {cause.cause for cause in found.verdict.causes}
