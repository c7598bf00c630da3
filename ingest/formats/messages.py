"""What Alertmanager, and what speaks like it, sends: a message or a list of alerts, as JSON or as text."""

import re
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from domain.errors import Malformed
from ingest.formats import grafana_rules, text_list
from ingest.formats.fingerprint import fingerprint
from ingest.formats.times import YEARS, aware

# How Go prints a time, as templates of Amazon's managed service do: 2026-11-30 19:44:00.5 +0000 UTC.
_GO_TIME = re.compile(
    rb'"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,9})?) ([+-]\d\d)(\d\d) [A-Z0-9+-]{1,6}(?: m=[^"]{1,40})?"'
)
# A sender's clock may be ahead of ours by this much, so that an alert that is over does not fire for another minute.
CLOCKS_DIFFER = timedelta(seconds=1)
EXPECTED = "expected Alertmanager's webhook, version 4, or a list of alerts as its API takes it"


class SentAlert(msgspec.Struct):
    """One alert of Alertmanager's webhook; Grafana adds the values of its expressions."""

    status: Literal["firing", "resolved"]
    startsAt: datetime | None
    labels: dict[str, str]
    fingerprint: str = ""
    endsAt: datetime | None = None
    annotations: dict[str, str] = {}
    generatorURL: str = ""
    values: Any = None


class Message(msgspec.Struct):
    """The fields that are needed; unknown ones are ignored, as releases add some."""

    alerts: list[SentAlert]
    groupKey: str = ""
    truncatedAlerts: int = 0


class _Posted(msgspec.Struct):
    """One alert as Prometheus, vmalert and the rulers of Thanos, Mimir and Cortex post it to Alertmanager's API."""

    labels: dict[str, str]
    startsAt: datetime | None = None
    endsAt: datetime | None = None
    annotations: dict[str, str] = {}
    generatorURL: str = ""


_MESSAGE = msgspec.json.Decoder(Message)
_POSTED = msgspec.json.Decoder(list[_Posted])


def read(body: bytes, at: datetime) -> Message:
    """The message in a body that came at this time, which decides whether a posted alert is over. Raises Malformed."""
    beginning = body.lstrip()[:1]
    try:
        if beginning == b"[":
            return Message([_of_api(posted, at) for posted in _POSTED.decode(body)])
        if beginning == b"{":
            return _object(body, at)
        return _text(body, at)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; {EXPECTED}") from error


def _object(body: bytes, at: datetime) -> Message:
    try:
        return _MESSAGE.decode(body)
    except msgspec.ValidationError:
        if rule := grafana_rules.rule_of(body):
            return Message([SentAlert(**rule.fields(at))])
        if b'"AlarmName"' in body:
            raise Malformed("this is an alarm of CloudWatch; send it to a source of kind cloudwatch") from None
        return _MESSAGE.decode(_GO_TIME.sub(rb'"\1T\2\3:\4"', body))


def _text(body: bytes, at: datetime) -> Message:
    listed = text_list.alerts_of(body.decode())
    if not listed:
        raise Malformed(f"neither JSON nor the text of Amazon's managed Prometheus; {EXPECTED}")
    return Message(
        [SentAlert(one.status, at, one.labels, annotations=one.annotations, generatorURL=one.source) for one in listed]
    )


def _of_api(posted: _Posted, at: datetime) -> SentAlert:
    """An alert of the API, which fires until its end is over.

    While it fires its end lies several intervals ahead; once it is over, a few milliseconds back at first.
    """
    ends = posted.endsAt
    over = ends is not None and ends.year in YEARS and aware(ends) <= at + CLOCKS_DIFFER
    return SentAlert(
        "resolved" if over else "firing", posted.startsAt, posted.labels, fingerprint(posted.labels),
        endsAt=ends if over else None,
        annotations=posted.annotations, generatorURL=posted.generatorURL,
    )  # fmt: skip
