"""Which alerts are signs of life."""

from pathlib import Path

import pytest

from domain.heartbeats import NAMES, is_heartbeat

PAGE = Path(__file__).parents[2] / "docs" / "senders.md"


@pytest.mark.parametrize(
    "name",
    ["Watchdog", "InfoInhibitor", "DeadMansSwitch", "Deadmansswitch", "Dead Man's Switch", "always-firing", "AlwaysFiring",
     "PrometheusAlertmanagerE2eDeadManSwitch", "Heartbeat"],
)  # fmt: skip
def test_the_names_of_the_field_are_known(name: str) -> None:
    assert is_heartbeat(name, {})


@pytest.mark.parametrize(
    "name", ["HeartbeatMissing", "WatchdogTimeout", "PrometheusNotConnectedToAlertmanager", "DeadLetterQueueGrows", ""]
)
def test_an_alert_about_a_missing_sign_of_life_is_an_alert(name: str) -> None:
    assert not is_heartbeat(name, {"severity": "critical"})


def test_severity_none_is_a_sign_of_life_whatever_its_name_and_no_other_severity_is() -> None:
    assert is_heartbeat("Told", {"severity": "None"})
    assert not is_heartbeat("Told", {"severity": "info"}) and not is_heartbeat("Told", {"priority": "none"})


def test_a_source_names_more_of_them() -> None:
    assert is_heartbeat("PipelineCheck", {}, ["PipelineCheck"])
    assert not is_heartbeat("PipelineChecked", {}, ["PipelineCheck"])


def test_the_manual_names_them() -> None:
    text = "".join(c for c in PAGE.read_text().lower() if c.isalnum())
    assert [name for name in sorted(NAMES) if name not in text] == []
