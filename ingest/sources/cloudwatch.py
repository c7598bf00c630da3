"""Alarms of Amazon's CloudWatch, as they come by SNS: one message when the state of an alarm changes."""

import re
from datetime import datetime
from typing import Any, Literal

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.severities import LABELS, first_severity
from domain.text import Text
from ingest.formats.times import YEARS, aware
from ingest.sources.source import AlertSource, SetupStep, clean, sns_steps
from subjects.decide import subject_of
from subjects.subject import Sent

# Dimensions of Container Insights and EC2, and the names that Prometheus has for them. `PodName` is there the name of
# what owns the pods, whatever its kind.
NAMES = {
    "ClusterName": "cluster", "Namespace": "namespace", "PodName": "deployment", "FullPodName": "pod",
    "ContainerName": "container",
    "NodeName": "node", "Service": "service", "ServiceName": "service", "InstanceId": "instance",
}  # fmt: skip
# How CloudWatch writes the zone: +0000, where ISO 8601 in its long form has a colon.
_ZONE = re.compile(r"([+-]\d\d)(\d\d)\Z")
NO_DATA = "INSUFFICIENT_DATA"


class _Dimension(msgspec.Struct):
    name: str = ""
    value: str = ""


class _Trigger(msgspec.Struct):
    MetricName: str = ""
    Namespace: str = ""
    Dimensions: list[_Dimension] | None = None


class _Alarm(msgspec.Struct):
    AlarmName: str
    NewStateValue: Literal["ALARM", "OK", "INSUFFICIENT_DATA"]
    AlarmDescription: str | None = None
    AlarmArn: str = ""
    AWSAccountId: str = ""
    Region: str = ""
    NewStateReason: str = ""
    StateChangeTime: str = ""
    OldStateValue: str = ""
    Trigger: Any = None


_DECODER = msgspec.json.Decoder(_Alarm)


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The one alarm of a message; one without data says nothing about a fault. Raises Malformed."""
    try:
        alarm = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; expected an alarm of CloudWatch, as SNS delivers it") from error
    if alarm.NewStateValue == NO_DATA:
        return ParsedDelivery(())
    return ParsedDelivery((_alert(alarm, received_at, declared),))


def _alert(alarm: _Alarm, received_at: datetime, declared: SourceDecl) -> ParsedAlert:
    changed = _time(alarm.StateChangeTime) or received_at
    labels = {**declared.labels, **_labels(alarm)}
    name = clean(alarm.AlarmName)
    title = clean(alarm.AlarmDescription or "") or name
    annotations = {"description": clean(alarm.NewStateReason)}
    subject = subject_of(Sent("cloudwatch", name, title, labels, annotations), declared)
    fires = alarm.NewStateValue == "ALARM"
    return subject.of(ParsedAlert(
        identity=(clean(alarm.AlarmArn) or f"{alarm.AWSAccountId}/{alarm.Region}/{name}")[-200:],
        occurrence=changed.isoformat(), state=AlertState.FIRING if fires else AlertState.RESOLVED,
        name=name, title=title, severity=_severity(alarm, labels, declared),
        started_at=changed, ended_at=None if fires else changed,
        labels=labels, annotations=annotations,
    ))  # fmt: skip


def _labels(alarm: _Alarm) -> dict[str, str]:
    """The dimensions of the metric, and where the alarm is. A composite alarm has no trigger of that form."""
    try:
        trigger = msgspec.convert(alarm.Trigger or {}, _Trigger)
    except msgspec.ValidationError:
        trigger = _Trigger()
    dimensions = {clean(d.name): clean(d.value) for d in trigger.Dimensions or [] if d.name and d.value}
    where = {
        "account": alarm.AWSAccountId, "region": alarm.Region,
        "metric": trigger.MetricName, "metric_namespace": trigger.Namespace,
    }  # fmt: skip
    labels = {key: clean(value) for key, value in where.items() if value}
    return labels | {NAMES.get(key, key): value for key, value in dimensions.items()}


def _severity(alarm: _Alarm, labels: dict[str, str], declared: SourceDecl) -> Severity:
    """By a label, else by a word of severity at the start or in brackets of the alarm's name, e.g. `[P1] ...`."""
    beginning = re.match(r"\W*(\w+)", alarm.AlarmName)
    words = [labels[label] for label in LABELS if label in labels]
    return first_severity([*words, beginning[1] if beginning else ""], declared.severities)


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(_ZONE.sub(r"\1:\2", text))
    except ValueError:
        return None
    return aware(time) if time.year in YEARS else None


def setup(url: str, token: str) -> tuple[SetupStep, ...]:
    """The topic, its subscription, and the alarms."""
    alarms = SetupStep(Text("Name the topic in the alarms, as action for ALARM and for OK"), "")
    return (*sns_steps("cloudwatch", url, token), alarms)


EXAMPLE = (
    b'{"AlarmName":"cart restarts","AlarmDescription":"Containers of cart restart","AWSAccountId":"123456789012",'
    b'"NewStateValue":"ALARM","NewStateReason":"Threshold Crossed","StateChangeTime":"2026-03-01T12:00:00.000+0000",'
    b'"Region":"EU (Ireland)","AlarmArn":"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cart restarts",'
    b'"OldStateValue":"OK","Trigger":{"MetricName":"pod_number_of_container_restarts","Namespace":"ContainerInsights",'
    b'"Dimensions":[{"name":"ClusterName","value":"prod-a"},{"name":"Namespace","value":"shop"},'
    b'{"name":"PodName","value":"cart"}]}}'
)

SOURCE = AlertSource("cloudwatch", Text("Amazon CloudWatch"), parse, EXAMPLE, setup)
