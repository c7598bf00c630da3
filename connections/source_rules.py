"""What a [[source]] may declare beyond its types: words, severities, names of labels and the topic of its messages."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from connections.faults import Entry, Fault, entries, kind_faults, name_faults
from domain.alerts import Severity
from domain.sns import Topic
from tickets.zabbix_api import SEVERITIES

# As in Prometheus' data model, and what Zabbix takes as a tag.
_LABEL = re.compile(r"[^\s=\"{}]{1,200}")


def source_faults(tree: dict[str, Any], source_kinds: Collection[str]) -> Iterator[Fault]:
    """Every fault of the [[source]] tables that their types cannot express."""
    for entry in entries(tree, "source"):
        yield from kind_faults(entry, source_kinds)
        yield from name_faults(entry)
        yield from _raised_severity_faults(entry)
        yield from _severity_word_faults(entry)
        yield from _label_faults(entry)
        yield from _always_firing_faults(entry)
        yield from _topic_faults(entry)


def _raised_severity_faults(entry: Entry) -> Iterator[Fault]:
    for cause, severity in entry.table.get("raise_severity", {}).items():
        if severity not in SEVERITIES[1:]:
            text = f"`{severity}` is no severity of Zabbix; use one of {', '.join(SEVERITIES[1:])}"
            yield Fault((*entry.path, "raise_severity", cause), text)


def _severity_word_faults(entry: Entry) -> Iterator[Fault]:
    for word, severity in entry.table.get("severities", {}).items():
        if severity not in tuple(Severity):
            text = f"`{severity}` is no severity; use one of {', '.join(Severity)}"
            yield Fault((*entry.path, "severities", word), text)


def _label_faults(entry: Entry) -> Iterator[Fault]:
    for label in entry.table.get("labels", {}):
        if not _LABEL.fullmatch(label):
            yield Fault((*entry.path, "labels", label), "is no name of a label; leave out spaces, quotes, = and braces")
    named = entry.table.get("cluster_label", "")
    for label in [named] if isinstance(named, str) else named:
        if label and not _LABEL.fullmatch(label):
            yield entry.fault("cluster_label", f"`{label}` is no name of a label; write it as the alerts have it")


def _always_firing_faults(entry: Entry) -> Iterator[Fault]:
    if "" in entry.table.get("always_firing", []):
        yield entry.fault("always_firing", "holds an empty name; write the alert's name")


def _topic_faults(entry: Entry) -> Iterator[Fault]:
    topic = entry.table.get("sns_topic", "")
    if topic and Topic.of(topic) is None:
        text = f"`{topic}` is no topic; write its ARN, e.g. arn:aws:sns:eu-west-1:123456789012:alerts"
        yield entry.fault("sns_topic", text)
