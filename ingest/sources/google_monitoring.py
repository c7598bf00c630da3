"""Google Cloud Monitoring's webhook, schema 1.2: one message when an incident there opens and one when it closes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.severities import LABELS, first_severity
from domain.text import Text
from ingest.formats.times import YEARS
from ingest.sources.source import AlertSource, SetupStep, clean
from subjects.decide import subject_of
from subjects.subject import Sent

# Names of labels there, and the names that Prometheus has for them.
NAMES = {
    "cluster_name": "cluster", "namespace_name": "namespace", "pod_name": "pod", "container_name": "container",
    "node_name": "node", "instance_name": "instance", "service_name": "service", "namespace_id": "namespace",
    "pod_id": "pod",
}  # fmt: skip
CONTROLLERS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}
# The version of the message that the button for a test sends.
TEST_VERSION = "test"


class _Labelled(msgspec.Struct):
    type: str = ""
    displayName: str = ""
    labels: dict[str, Any] | None = None


class _Metadata(msgspec.Struct):
    system_labels: dict[str, Any] | None = None
    user_labels: dict[str, Any] | None = None


class _Incident(msgspec.Struct):
    """The fields that are needed. Of numbers and texts either may come where the schema names one."""

    incident_id: str
    state: str
    started_at: float | None = None
    ended_at: float | None = None
    policy_name: str = ""
    condition_name: str = ""
    summary: str = ""
    url: str = ""
    severity: str = ""
    observed_value: str | float | None = None
    threshold_value: str | float | None = None
    resource: _Labelled | None = None
    metric: _Labelled | None = None
    metadata: _Metadata | None = None
    policy_user_labels: dict[str, Any] | None = None
    documentation: Any = None


class _Message(msgspec.Struct):
    incident: _Incident
    version: str = ""


_DECODER = msgspec.json.Decoder(_Message)


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The one incident of a message. Opening and closing share its id. Raises Malformed."""
    try:
        message = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{error}; expected the webhook of Google Cloud Monitoring, version 1.2") from error
    return ParsedDelivery((_alert(message, received_at, declared),))


def _alert(message: _Message, received_at: datetime, declared: SourceDecl) -> ParsedAlert:
    incident = message.incident
    state = _state(incident)
    labels = {**declared.labels, **_labels(incident)}
    name = clean(incident.condition_name or incident.policy_name) or "Google Cloud alert"
    title = clean(incident.summary) or name
    annotations, url = _annotations(incident), clean(incident.url)
    subject = subject_of(Sent("google_monitoring", name, title, labels, annotations, url), declared)
    ended = _time(incident.ended_at) if state is AlertState.RESOLVED else None
    return subject.of(ParsedAlert(
        identity=clean(incident.incident_id)[:200], occurrence="", state=state, name=name, title=title,
        severity=first_severity((incident.severity, *(labels.get(label, "") for label in LABELS)), declared.severities),
        started_at=_time(incident.started_at) or ended or received_at, ended_at=ended,
        labels=labels, annotations=annotations, url=url, test=message.version == TEST_VERSION,
    ))  # fmt: skip


def _state(incident: _Incident) -> AlertState:
    state = incident.state.lower()
    if state not in {"open", "closed"}:
        raise Malformed("is neither open nor closed", "incident.state")
    return AlertState.FIRING if state == "open" else AlertState.RESOLVED


def _labels(incident: _Incident) -> dict[str, str]:
    """All labels, those of the resource before others of the same name; a host of its own is an instance."""
    resource, metric = incident.resource or _Labelled(), incident.metric or _Labelled()
    metadata = incident.metadata or _Metadata()
    labels = {
        **_texts(incident.policy_user_labels), **_texts(metadata.user_labels), **_controller(metadata.system_labels),
        **_texts(metric.labels), **_texts(resource.labels),
    }  # fmt: skip
    named = {"resource_type": resource.type, "metric_type": metric.type}
    return labels | {key: clean(value) for key, value in named.items() if value}


def _texts(labels: Mapping[str, Any] | None) -> dict[str, str]:
    """Labels with a text, under the names of Prometheus."""
    pairs = ((clean(key), value) for key, value in (labels or {}).items())
    return {NAMES.get(key, key): clean(str(v)) for key, v in pairs if isinstance(v, str | int | float) and v != ""}


def _controller(system: Mapping[str, Any] | None) -> dict[str, str]:
    """The workload of a pod, as Google's own labels name it."""
    found = _texts(system)
    kind, name = CONTROLLERS.get(found.get("top_level_controller_type", "")), found.get("top_level_controller_name")
    return {kind: name} if kind and name else {}


def _annotations(incident: _Incident) -> dict[str, str]:
    text = incident.documentation
    if isinstance(text, dict):
        text = text.get("content")
    shown = {
        "description": text if isinstance(text, str) else "", "policy": incident.policy_name,
        "observed_value": incident.observed_value, "threshold_value": incident.threshold_value,
    }  # fmt: skip
    return {key: clean(str(value)) for key, value in shown.items() if value not in (None, "")}


def _time(epoch: float | None) -> datetime | None:
    """The time of a number of seconds, None for zero and for what is no time."""
    if not epoch or not 0 < epoch < 2e11:
        return None
    time = datetime.fromtimestamp(epoch, UTC)
    return time if time.year in YEARS else None


def setup(url: str, token: str) -> tuple[SetupStep, ...]:
    """The notification channel to make."""
    channel = f"Endpoint URL:  {url}\nUse HTTP Basic Auth\nAuth Username: incident-graph\nAuth Password: {token}\n"
    return (
        SetupStep(Text("Add a webhook under Monitoring → Alerting → Edit notification channels"), channel),
        SetupStep(Text("Press Test connection: the test is shown above and opens nothing"), ""),
        SetupStep(Text("Name the channel in the alert policies, with a notification when an incident is closed"), ""),
    )


EXAMPLE = (
    b'{"version":"1.2","incident":{"incident_id":"0.m8u0mnh9byf4","state":"open","started_at":1772366400,'
    b'"ended_at":null,"policy_name":"k8s-container-restarted","condition_name":"Kubernetes container restarted",'
    b'"summary":"Restart count for shop cart is above the threshold of 3 with a value of 5.","severity":"Error",'
    b'"resource":{"type":"k8s_container","labels":{"project_id":"shop","location":"europe-west1",'
    b'"cluster_name":"prod-a","namespace_name":"shop","pod_name":"cart-7d9f8b6c5-x2x4z","container_name":"cart"}},'
    b'"metric":{"type":"kubernetes.io/container/restart_count","labels":{}}}}'
)

SOURCE = AlertSource("google_monitoring", Text("Google Cloud Monitoring"), parse, EXAMPLE, setup)
