"""Alertmanager's webhook, payload version 4."""

import hashlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.text import Text
from ingest.sources.source import YEARS, AlertSource, SetupStep, clean
from subjects.decide import subject_of
from subjects.subject import Sent

MOST_MISSING = 1_000_000
HEARTBEATS = {"Watchdog", "InfoInhibitor"}
SEVERITIES = {
    "critical": Severity.CRITICAL, "page": Severity.CRITICAL, "error": Severity.HIGH, "high": Severity.HIGH,
    "warning": Severity.WARNING, "average": Severity.AVERAGE, "info": Severity.INFO, "none": Severity.INFO,
}  # fmt: skip


class _Alert(msgspec.Struct):
    status: Literal["firing", "resolved"]
    startsAt: datetime
    labels: dict[str, str]
    fingerprint: str = ""
    endsAt: datetime | None = None
    annotations: dict[str, str] = {}
    generatorURL: str = ""


class _Message(msgspec.Struct):
    """The fields that are needed; unknown ones are ignored, as releases add some."""

    alerts: list[_Alert]
    version: str = ""
    groupKey: str = ""
    truncatedAlerts: int = 0


_DECODER = msgspec.json.Decoder(_Message)


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The alerts of one message, each with its own state, which may differ from the group's. Raises Malformed."""
    try:
        message = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; expected Alertmanager's webhook, version 4") from error
    alerts = tuple(
        _alert(a, received_at, declared) for a in message.alerts if a.labels.get("alertname") not in HEARTBEATS
    )
    label = hashlib.sha256(message.groupKey.encode()).hexdigest()
    return ParsedDelivery(
        alerts, message.groupKey, min(max(message.truncatedAlerts, 0), MOST_MISSING),
        (f"ALERT{{{label}}}",) if message.groupKey else (),
    )  # fmt: skip


def _alert(alert: _Alert, received_at: datetime, declared: SourceDecl) -> ParsedAlert:
    sent, annotations = _clean(alert.labels), _clean(alert.annotations)
    labels = {**declared.labels, **sent}
    started = _aware(alert.startsAt) if alert.startsAt.year in YEARS else received_at
    name = labels.get("alertname", "alert without a name")
    title = annotations.get("summary") or annotations.get("description") or name
    subject = subject_of(Sent("alertmanager", name, title, labels, annotations, alert.generatorURL), declared)
    return ParsedAlert(
        identity=_clean_identity(alert.fingerprint) or _fingerprint(sent),
        occurrence=started.isoformat(),
        state=AlertState(alert.status),
        name=name,
        title=title,
        severity=SEVERITIES.get(labels.get("severity", "").lower(), Severity.WARNING),
        started_at=started,
        ended_at=_end(alert),
        entities=subject.entities,
        labels=labels,
        annotations=annotations,
        url=clean(alert.generatorURL),
        subject=subject.ref,
        family=subject.family,
        reporter=subject.reporter,
        decided_by=subject.decided_by,
    )


def _clean(texts: dict[str, str]) -> dict[str, str]:
    return {clean(key): clean(value) for key, value in texts.items()}


def _clean_identity(fingerprint: str) -> str:
    """The fingerprint, usually 16 hex digits; empty if it does not fit the record's column."""
    return fingerprint if fingerprint.isalnum() and len(fingerprint) <= 64 else ""


def _aware(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _end(alert: _Alert) -> datetime | None:
    """When a resolved alert ended; None for a firing one, whose endsAt is a zero time or an expiry."""
    if alert.status == "firing" or alert.endsAt is None or alert.endsAt.year not in YEARS:
        return None
    return _aware(alert.endsAt)


def _fingerprint(labels: dict[str, str]) -> str:
    joined = "\x00".join(f"{key}\x01{value}" for key, value in sorted(labels.items()))
    return "sha256:" + hashlib.sha256(joined.encode()).hexdigest()[:32]


def setup(url: str, token: str) -> tuple[SetupStep, ...]:
    """The receiver to paste into alertmanager.yml."""
    snippet = (
        "receivers:\n"
        "  - name: incident-graph\n"
        "    webhook_configs:\n"
        f"      - url: {url}\n"
        "        send_resolved: true\n"
        "        http_config:\n"
        "          authorization:\n"
        "            type: Bearer\n"
        f"            credentials: {token}\n"
    )
    route = "route:\n  routes:\n    - receiver: incident-graph\n      continue: true\n"
    return (
        SetupStep(
            Text("Add this receiver to alertmanager.yml"),
            snippet,
            "receiver.yml",
        ),
        SetupStep(
            Text("Send it a copy of every alert, before the other routes"),
            route,
        ),
    )


EXAMPLE = (
    b'{"version":"4","groupKey":"{}:{alertname=\\"etcdNoLeader\\"}","status":"firing","alerts":[{"status":"firing",'
    b'"labels":{"alertname":"etcdNoLeader","cluster":"prod-a","job":"etcd","instance":"10.0.0.1:2379",'
    b'"severity":"critical"},"annotations":{"summary":"etcd has no leader"},"startsAt":"2026-03-01T12:00:00Z",'
    b'"endsAt":"0001-01-01T00:00:00Z","fingerprint":"96b07faa17782a8c"}]}'
)

SOURCE = AlertSource("alertmanager", Text("Alertmanager"), parse, EXAMPLE, setup)
