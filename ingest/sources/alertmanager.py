"""Alertmanager's webhook, and what speaks like it: Grafana, vmalert, the rulers of Mimir, Cortex and Thanos, Amazon."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery
from domain.connections import SourceDecl
from domain.severities import severity_of_labels
from domain.text import Text
from ingest.formats import grafana
from ingest.formats.messages import SentAlert, read
from ingest.formats.times import YEARS, aware
from ingest.sources.source import AlertSource, SetupStep, clean, sns_steps
from subjects.decide import subject_of
from subjects.subject import Sent

# The annotations that may hold a title, first one first.
TITLES = ("summary", "description", "message", "title")
MOST_MISSING = 1_000_000


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The alerts of one message, each with its own state, which may differ from the group's. Raises Malformed."""
    message = read(body, received_at)
    alerts = tuple(_alert(alert, received_at, declared) for alert in message.alerts)
    label = hashlib.sha256(message.groupKey.encode()).hexdigest()
    return ParsedDelivery(
        alerts, message.groupKey, min(max(message.truncatedAlerts, 0), MOST_MISSING),
        (f"ALERT{{{label}}}",) if message.groupKey else (),
    )  # fmt: skip


def _alert(alert: SentAlert, received_at: datetime, declared: SourceDecl) -> ParsedAlert:
    sent, annotations = _clean(alert.labels), _annotations(alert)
    labels = {**declared.labels, **sent}
    started = _start(alert, received_at)
    name = grafana.rule_name(labels) or "alert without a name"
    title = _title(name, labels, annotations)
    subject = subject_of(Sent("alertmanager", name, title, labels, annotations, alert.generatorURL), declared)
    parsed = ParsedAlert(
        identity=_clean_identity(alert.fingerprint) or _identity(sent),
        occurrence=started.isoformat(),
        state=AlertState(alert.status),
        name=name,
        title=title,
        severity=severity_of_labels(labels, declared.severities),
        started_at=started,
        ended_at=_end(alert),
        labels=labels,
        annotations=annotations,
        url=clean(alert.generatorURL),
        test=grafana.is_test(labels, annotations),
    )
    return subject.of(parsed)


def _clean(texts: dict[str, str]) -> dict[str, str]:
    return {clean(key): clean(value) for key, value in texts.items()}


def _annotations(alert: SentAlert) -> dict[str, str]:
    annotations = _clean(alert.annotations)
    if values := grafana.values_text(alert.values):
        annotations["values"] = clean(values)
    return annotations


def _title(name: str, labels: dict[str, str], annotations: dict[str, str]) -> str:
    if broken := grafana.title_of_broken(labels):
        return broken
    return next((annotations[key] for key in TITLES if annotations.get(key)), name)


def _clean_identity(given: str) -> str:
    """The fingerprint, usually 16 hex digits; empty if it does not fit the record's column."""
    return given if given.isalnum() and len(given) <= 64 else ""


def _start(alert: SentAlert, received_at: datetime) -> datetime:
    """When the alert began to fire, the time of arrival for a zero time and for none."""
    started = alert.startsAt
    return aware(started) if started is not None and started.year in YEARS else received_at


def _end(alert: SentAlert) -> datetime | None:
    """When a resolved alert ended; None for a firing one, whose endsAt is a zero time or an expiry."""
    if alert.status == "firing" or alert.endsAt is None or alert.endsAt.year not in YEARS:
        return None
    return aware(alert.endsAt)


def _identity(labels: dict[str, str]) -> str:
    """For a webhook that is not Alertmanager's own; the record has such identities."""
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
        SetupStep(
            Text("Or from Grafana: add a contact point of the type Webhook, then press Test"), _contact(url, token)
        ),
        SetupStep(
            Text("Or without an Alertmanager: from vmalert, Prometheus, or the rulers of Mimir, Cortex and Thanos"),
            _notifiers(url, token),
        ),
        *sns_steps("alertmanager", url, token),
    )


def _contact(url: str, token: str) -> str:
    return f"URL: {url}\nHTTP Method: POST\nAuthorization Header, Scheme: Bearer\nCredentials: {token}\n"


def _notifiers(url: str, token: str) -> str:
    """The address of an Alertmanager, as each of these programs takes it; they add `/api/v2/alerts` to it."""
    parts = urlsplit(url)
    return (
        "# vmalert, flags\n"
        f"-notifier.url={url} -notifier.basicAuth.username=any -notifier.basicAuth.password={token}\n\n"
        "# Prometheus, prometheus.yml\n"
        "alerting:\n"
        "  alertmanagers:\n"
        f"    - scheme: {parts.scheme}\n"
        f"      path_prefix: {parts.path}\n"
        f"      static_configs: [{{ targets: ['{parts.netloc}'] }}]\n"
        f"      authorization: {{ credentials: {token} }}\n\n"
        "# Mimir and Cortex: -ruler.alertmanager-url, Thanos Ruler: --alertmanagers.url\n"
        f"{parts.scheme}://any:{token}@{parts.netloc}{parts.path}\n"
    )


EXAMPLE = (
    b'{"version":"4","groupKey":"{}:{alertname=\\"etcdNoLeader\\"}","status":"firing","alerts":[{"status":"firing",'
    b'"labels":{"alertname":"etcdNoLeader","cluster":"prod-a","job":"etcd","instance":"10.0.0.1:2379",'
    b'"severity":"critical"},"annotations":{"summary":"etcd has no leader"},"startsAt":"2026-03-01T12:00:00Z",'
    b'"endsAt":"0001-01-01T00:00:00Z","fingerprint":"96b07faa17782a8c"}]}'
)

SOURCE = AlertSource("alertmanager", Text("Alertmanager"), parse, EXAMPLE, setup)
