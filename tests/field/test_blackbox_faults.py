"""Real faults seen by a blackbox exporter alone: the truth first, or honestly unknown with the truth among the first."""

from pathlib import Path

import pytest

from config.replaying import replayed
from domain.verdict import VerdictState
from evidence.bundles import Bundle

BUNDLES = Path(__file__).parent / "bundles" / "blackbox"
# What was really done, and the cause of it; none where the catalogue cannot know it from these witnesses.
TRUTHS = {
    "b11-redirect-to-bad-cert-26": "tls-trust-or-scheme",  # redirected to a certificate of an unknown authority
    "b14-tls-stall-30": "tls-handshake-stall",  # TCP is accepted, the handshake never answered
    "b19-syn-drop-firewall-40": "network-path-drop",  # a firewall drops SYNs to one port
    "b25-haproxy-no-server-77": "",  # HAProxy answers 503, its only server is dead
}


@pytest.mark.parametrize(("name", "truth"), TRUTHS.items())
def test_a_fault_seen_from_outside_is_named_or_honestly_unknown(name: str, truth: str) -> None:
    verdict = replayed(Bundle.load(BUNDLES / f"{name}.zip")).verdict
    first = [c.cause for c in verdict.causes]
    assert verdict.state is VerdictState.UNKNOWN or first[:1] == [truth]
    assert not truth or truth in first[:3]


def test_every_recorded_fault_is_judged() -> None:
    assert {p.stem for p in BUNDLES.glob("*.zip")} == set(TRUTHS)
