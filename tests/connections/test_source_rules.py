"""What a source may declare about its alerts: labels, words of severities, names that always fire, and a topic."""

from pathlib import Path

import pytest

from tests.connections.entries import SOURCE, accepted, folder, refused

__all__ = ["folder"]


def test_what_a_source_declares_about_its_alerts_is_taken_as_written(folder: Path) -> None:
    text = (
        f'{SOURCE}cluster_label = ["cluster", "k8s.cluster"]\nalways_firing = ["PipelineCheck"]\n'
        'labels = { cluster = "prod-a", log_file = "x" }\nseverities = { "Gold Tier" = "critical", url = "info" }\n'
    )
    (made,) = accepted(text, folder).source
    assert made.cluster_label == ["cluster", "k8s.cluster"] and made.always_firing == ["PipelineCheck"]
    assert made.labels == {"cluster": "prod-a", "log_file": "x"}
    assert made.severities == {"Gold Tier": "critical", "url": "info"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('severities = { gold = "worst" }',
         "source.severities.gold: `worst` is no severity; use one of info, warning, average, high, critical"),
        ('labels = { "a b" = "x" }',
         "source.labels.a b: is no name of a label; leave out spaces, quotes, = and braces"),
        ('cluster_label = ["ok", "a b"]',
         "source.cluster_label: `a b` is no name of a label; write it as the alerts have it"),
        ('always_firing = [""]', "source.always_firing: holds an empty name; write the alert's name"),
        ('sns_topic = "alerts"',
         "source.sns_topic: `alerts` is no topic; write its ARN, e.g. arn:aws:sns:eu-west-1:123456789012:alerts"),
        ('sns_topic = "arn:aws:sns:evil.example/x-1:123456789012:alerts"',
         "source.sns_topic: `arn:aws:sns:evil.example/x-1:123456789012:alerts` is no topic; write its ARN, e.g."
         " arn:aws:sns:eu-west-1:123456789012:alerts"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_remedy(line: str, fault: str, folder: Path) -> None:
    assert refused(f"{SOURCE}{line}\n", folder) == f"line 4: {fault}"


@pytest.mark.parametrize(
    "line", ['labels = ["a"]', "labels = { a = 1 }", 'always_firing = "Watchdog"', "severities = { a = 1 }"]
)
def test_another_type_is_refused(line: str, folder: Path) -> None:
    assert refused(f"{SOURCE}{line}\n", folder).startswith("line 4: source.")
