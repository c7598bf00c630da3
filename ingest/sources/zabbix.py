"""Zabbix's webhook (6.0 to 7.4), as the shipped media type sends it, also with a script that a user edited."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.marks import OWN_COMMENT
from domain.text import Text
from ingest.sources.source import YEARS, AlertSource, SetupStep, clean
from subjects.decide import subject_of
from subjects.subject import Sent

MEDIA_TYPE = Path(__file__).parent / "assets" / "zabbix_media_type.yaml"
# Zabbix sends a macro that it cannot resolve as it is written.
MACRO = re.compile(r"\A\{[A-Z0-9_.]+\}\Z")
UNRESOLVED = re.compile(r"\A(\{[^{}]+\}|\*UNKNOWN\*|)\Z")
SEVERITIES = (
    Severity.INFO,
    Severity.INFO,
    Severity.WARNING,
    Severity.AVERAGE,
    Severity.HIGH,
    Severity.CRITICAL,
)
EVENT_ID = re.compile(r"\A[0-9]{1,20}\Z")
TEST = "Test of the media type"
SCHEMA = "zabbix-webhook/1"
JIRA_TAG = "__zbx_jira_issuekey"
OWN_TAG = "__incident"
FIELDS = ("host_host", "host_name", "host_ip", "host_dns", "item_key", "trigger_id", "event_id")
# No zone is further from UTC, even if the message was a little late.
FARTHEST_ZONE = timedelta(hours=15)


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The one event of a message. Problem, update and recovery share the problem's event id."""
    fields = _fields(body)
    if _is_test(fields):
        return ParsedDelivery((_test(received_at),))
    event_id = _text(fields, "event_id")
    if not EVENT_ID.match(event_id):
        raise Malformed("is missing or not a number; send {EVENT.ID}", "event_id")
    state = _state(fields)
    if state is AlertState.UPDATE and OWN_COMMENT.search(_text(fields, "event_update_message")):
        return ParsedDelivery(())  # an update by our own comment changes nothing
    return ParsedDelivery((_alert(fields, event_id, state, received_at, declared),))


def _is_test(fields: dict[str, Any]) -> bool:
    """Whether the media type's Test button sent it, which has no event and so resolves no macro.

    Our script then sends null for each; another script sends them as they are written.
    """
    if _text(fields, "event_id") or _text(fields, "event_value"):
        return False
    return fields.get("schema") == SCHEMA or bool(MACRO.match(str(fields.get("event_id"))))


def _test(received_at: datetime) -> ParsedAlert:
    return ParsedAlert(
        identity="test", occurrence="", state=AlertState.FIRING, name=TEST, title=TEST, severity=Severity.INFO,
        started_at=received_at, test=True,
    )  # fmt: skip


def _alert(
    fields: dict[str, Any], event_id: str, state: AlertState, received_at: datetime, declared: SourceDecl
) -> ParsedAlert:
    tags = _tags(fields.get("event_tags"))
    labels = {**declared.labels, **_labels(fields, tags)}
    name = _first_text(fields, "trigger_name", "event_name") or "Zabbix event"
    title = _first_text(fields, "event_name", "trigger_name") or "Zabbix event"
    subject = subject_of(Sent("zabbix", name, title, labels), declared)
    return subject.of(ParsedAlert(
        identity=event_id, occurrence="", state=state,
        name=name, title=title,
        severity=_severity(fields), started_at=_time(fields, "event", received_at) or received_at,
        ended_at=_time(fields, "event_recovery", received_at) if state is AlertState.RESOLVED else None,
        labels=labels,
        annotations={"description": _text(fields, "trigger_description"), "opdata": _text(fields, "event_opdata")},
        url=_event_url(fields, event_id), note=_text(fields, "event_update_message"),
        acknowledged=_text(fields, "event_ack_status").lower() == "yes",
        ticket_keys=tuple(v for k, v in tags if k == JIRA_TAG),
    ))  # fmt: skip


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; expected the JSON object of the Zabbix media type") from error
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    text = "" if value is None or isinstance(value, dict | list) else clean(str(value))
    return "" if UNRESOLVED.match(text) else text


def _first_text(fields: dict[str, Any], *names: str) -> str:
    """The first of these fields that has a text, empty if none has."""
    return next((text for text in (_text(fields, name) for name in names) if text), "")


def _state(fields: dict[str, Any]) -> AlertState:
    """Firing or resolved by the event's value; UPDATE for an update of a problem. Raises Malformed."""
    value = _text(fields, "event_value")
    if value == "0":
        return AlertState.RESOLVED
    if value != "1":
        raise Malformed("is neither 1 (problem) nor 0 (recovery); send {EVENT.VALUE}", "event_value")
    return AlertState.UPDATE if _text(fields, "event_update_status") == "1" else AlertState.FIRING


def _severity(fields: dict[str, Any]) -> Severity:
    number = _text(fields, "event_nseverity")
    return SEVERITIES[int(number)] if number in {"0", "1", "2", "3", "4", "5"} else Severity.WARNING


def _local(fields: dict[str, Any], prefix: str) -> datetime | None:
    text = f"{_text(fields, prefix + '_date')} {_text(fields, prefix + '_time')}"
    try:
        found = datetime.strptime(text, "%Y.%m.%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _time(fields: dict[str, Any], prefix: str, received_at: datetime) -> datetime | None:
    """A time in UTC, None if it is missing.

    Zabbix writes times in the recipient's zone; its offset is message time minus `sent_at`, rounded to 15 minutes.
    """
    local = _local(fields, prefix)
    if local is None:
        return None
    message, sent_at = _local(fields, "message"), fields.get("sent_at")
    sent = received_at
    if isinstance(sent_at, int | float) and 0 < sent_at < 4e9:
        sent = datetime.fromtimestamp(sent_at, UTC)
    if message is None or abs(message - sent) > FARTHEST_ZONE:
        # Without the message's own local time the zone is unknown: only a time near arrival is used.
        return local if abs(local - received_at) < timedelta(minutes=10) else None
    quarters = round((message - sent).total_seconds() / 900)
    return local - timedelta(minutes=15 * quarters)


def _tags(raw: object) -> tuple[tuple[str, str], ...]:
    """The tags as pairs, in the order sent; a script that does not decode the macro sends them as JSON text."""
    if isinstance(raw, str):
        try:
            raw = msgspec.json.decode(raw.encode())
        except (msgspec.DecodeError, UnicodeEncodeError):
            return ()
    if not isinstance(raw, list):
        return ()
    pairs = [(clean(str(t.get("tag", ""))), clean(str(t.get("value", "")))) for t in raw if isinstance(t, dict)]
    return tuple(pair for pair in pairs if pair[0])


def _labels(fields: dict[str, Any], tags: tuple[tuple[str, str], ...]) -> dict[str, str]:
    named = {k: _text(fields, k) for k in FIELDS}
    return {k: v for k, v in named.items() if v} | {k: v for k, v in tags if not k.startswith(OWN_TAG)}


def _event_url(fields: dict[str, Any], event_id: str) -> str:
    base, trigger = _text(fields, "zabbix_url").rstrip("/"), _text(fields, "trigger_id")
    return f"{base}/tr_events.php?triggerid={trigger}&eventid={event_id}" if base and trigger else ""


def setup(url: str, token: str) -> tuple[SetupStep, ...]:
    """The media type to import and the two macros that it reads."""
    macros = f"{{$INCIDENT_GRAPH.URL}} = {url}\n{{$INCIDENT_GRAPH.TOKEN}} = {token}\n"
    return (
        SetupStep(
            Text("Import this media type (Alerts → Media types → Import)"),
            MEDIA_TYPE.read_text(encoding="utf-8"),
            "incident-graph-media-type.yaml",
        ),
        SetupStep(Text("Set two global macros, the second as secret text"), macros),
        SetupStep(
            Text(
                "Give a user with read permission this media, and add an action with operations, recovery and update"
                " operations that sends to the user"
            ),
            "",
        ),
    )


EXAMPLE = (
    b'{"event_id":"37","event_value":"1","event_update_status":"0","event_nseverity":"4",'
    b'"event_name":"etcd leader switch","event_date":"2026.03.01","event_time":"12:00:00",'
    b'"message_date":"2026.03.01","message_time":"12:00:03","sent_at":1772366403,"host_host":"etcd-prod-1",'
    b'"event_tags":[{"tag":"component","value":"etcd"}]}'
)

SOURCE = AlertSource("zabbix", Text("Zabbix"), parse, EXAMPLE, setup)
