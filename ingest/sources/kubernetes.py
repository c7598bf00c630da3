"""Messages of the Kubernetes watcher: one per workload and kind of failure.

Their texts come from the kubelet and from applications, so they are as untrusted as any alert's.
"""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery
from domain.connections import SourceDecl
from domain.errors import Malformed
from domain.text import Text
from ingest.events.kinds import clearest, failure_kind, kind_of, short
from ingest.events.message import INIT, MESSAGE_CUT, MOST_MESSAGES, NODE, STATIC_POD, EventGroupMessage
from ingest.events.subject import subject_of
from ingest.sources.source import YEARS, AlertSource, SetupStep, clean

ROLE = Path(__file__).parent / "assets" / "kubernetes_read_only_role.yaml"
MISSING = re.compile(r"required field `(\w+)`")
LABELS = {
    "Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "CronJob": "cronjob",
    "Job": "job_name",
}  # fmt: skip
NOT_FAILURES = Text(
    "Kubernetes told of {events} events. Event counts are not failure counts: alike events are joined and limited in"
    " rate; prober_probe_total says how often a probe failed."
)
_DECODER = msgspec.json.Decoder(EventGroupMessage)


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The one alert of a message."""
    try:
        message = _cleaned(_DECODER.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text, _, place = str(error).partition(" - at `$")
        missing = MISSING.search(text)
        field = f"{place.strip('.`')}.{missing[1] if missing else ''}".strip(".")
        raise Malformed(f"{text}; expected a message of the Kubernetes watcher", field) from error
    for name in ("cluster", "reason", "workload.name"):
        if not (message.workload.name if name == "workload.name" else getattr(message, name)):
            raise Malformed("is empty; name what the events are about", name)
    return ParsedDelivery((_alert(message, received_at),))


def _cleaned(message: EventGroupMessage) -> EventGroupMessage:
    """The message with all its texts cleaned; they are other people's."""
    return msgspec.convert(_texts_cleaned(msgspec.to_builtins(message)), EventGroupMessage)


def _texts_cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_texts_cleaned(item) for item in value]
    return {key: _texts_cleaned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _alert(message: EventGroupMessage, received_at: datetime) -> ParsedAlert:
    first = _time(message.first, "first")
    title, kind = title_of(message), kind_of(_failure(message), message.reason, message.probe)
    subject = subject_of(message, kind.family)
    resolved = message.state == "resolved"
    return subject.of(ParsedAlert(
        identity=identity_of(message), occurrence=first.isoformat(), state=AlertState(message.state), name=kind.name,
        title=title, severity=kind.severity, started_at=min(first, received_at),
        ended_at=_time(message.ended or message.last, "ended") if resolved else None,
        labels=_labels(message), annotations=_annotations(message, title),
    ))  # fmt: skip


def _annotations(message: EventGroupMessage, title: str) -> dict[str, str]:
    """The title, what counts mean, and each message as a whole."""
    several = message.containers if len(message.containers) > 1 else []
    found = {
        "summary": title,
        "description": NOT_FAILURES.format(events=message.count).en,
        "description_zh": NOT_FAILURES.format(events=message.count).in_language("zh"),
        **{f"message_{n}": text[:MESSAGE_CUT] for n, text in enumerate(message.messages[:MOST_MESSAGES], 1)},
        "after_deletion": str(message.after_deletion or ""),
        "at_start": str(message.at_start or ""),
        "containers": ", ".join(container.name for container in several),
    }
    return {key: text for key, text in found.items() if text or key.startswith("message_")}


def _failure(message: EventGroupMessage) -> str:
    """What failed; from reason and messages where it is not named, or was named by the reason alone."""
    if message.failure in {"", "BackOff"}:
        return failure_kind(message.reason, message.probe, clearest(message.messages))
    return message.failure


def _old_failure(message: EventGroupMessage) -> str:
    """What messages without `failure` were grouped by: the probe, or the reason."""
    return message.probe if message.probe and message.reason in {"Unhealthy", "Killing"} else message.reason


def identity_of(message: EventGroupMessage) -> str:
    """The alert's identity, the same for all messages of one group."""
    workload, failure = message.workload, message.failure or _old_failure(message)
    parts = (message.cluster, message.namespace, workload.kind, workload.name, failure, message.probe)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def title_of(message: EventGroupMessage) -> str:
    """E.g. `Readiness probe of container proxy of shop/cart fails: context deadline exceeded (3 pods)`."""
    place = f"{message.namespace}/{message.workload.name}" if message.namespace else message.workload.name
    container = _container(message)
    text = clearest(message.messages)
    why = short(text) if message.messages else message.reason
    pods = len(message.pods) + message.more_pods
    title = kind_of(_failure(message), message.reason, message.probe).title.format(
        place=place, where=f"{container} of {place}" if container else place, why=why,
        container=container[:1].upper() + container[1:] if container else "Container",
    )  # fmt: skip
    return title + (f" ({pods} pods)" if pods > 1 else "")


def _container(message: EventGroupMessage) -> str:
    """The one container that failed, e.g. `init container migrate`; empty when its pod has no other."""
    if len(message.containers) != 1 or message.containers[0].only:
        return ""
    container = message.containers[0]
    return f"{INIT if container.role == INIT else 'container'} {container.name}"


def _labels(message: EventGroupMessage) -> dict[str, str]:
    """Labels named like Alertmanager's; pod, container and node only if there is exactly one."""
    labels = {
        "cluster": message.cluster,
        "namespace": message.namespace,
        "reason": message.reason,
        "probe_type": message.probe,
    }
    if kind := LABELS.get(message.workload.kind):
        labels[kind] = message.workload.name
    elif message.workload.kind not in {"Pod", STATIC_POD, NODE}:
        labels |= {"workload": message.workload.name, "workload_type": message.workload.kind.lower()}
    nodes = {pod.node for pod in message.pods if pod.node}
    if message.workload.kind == NODE and not message.namespace:
        nodes = {message.workload.name}
    if len(message.pods) == 1 and not message.more_pods:
        labels["pod"] = message.pods[0].name
    if len(message.containers) == 1:
        labels["container"] = message.containers[0].name
    if len(nodes) == 1:
        labels["node"] = nodes.pop()
    return {key: value for key, value in labels.items() if value}


def _time(time: datetime, field: str) -> datetime:
    if time.year not in YEARS:
        raise Malformed("is no time of an event; send it in UTC", field)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def setup(url: str, token: str) -> tuple[SetupStep, ...]:
    """The role to apply and the declaration; the watcher needs no sender."""
    declared = '[[kubernetes]]\nname = "NAME"\nkubeconfig_file = "kube.config"  # or: in_cluster = true\nwatch = true\n'
    by_hand = f"curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d @message.json {url}\n"
    return (
        SetupStep(
            Text("Give the service a read-only role in the cluster"),
            ROLE.read_text(encoding="utf-8"), "read-only-role.yaml",
        ),
        SetupStep(
            Text("Declare the cluster with its API; the watcher then makes this source by itself"),
            declared, "connections.toml",
        ),
        SetupStep(
            Text("Only to send a recorded message again by hand"), by_hand
        ),
    )  # fmt: skip


EXAMPLE = (
    b'{"version":1,"state":"firing","cluster":"prod-a","namespace":"shop","workload":{"kind":"Deployment",'
    b'"name":"cart"},"reason":"Unhealthy","probe":"Readiness","first":"2026-03-01T12:00:00Z",'
    b'"last":"2026-03-01T12:00:20Z","count":3,"pods":[{"name":"cart-7d9f8b6c5-x2x4z","node":"node-1"}],'
    b'"messages":["Readiness probe failed: Get \\"http://10.0.0.7:8080/readyz\\": context deadline exceeded '
    b'(Client.Timeout exceeded while awaiting headers)"]}'
)

SOURCE = AlertSource("kubernetes", Text("Kubernetes events"), parse, EXAMPLE, setup, by_itself=True)
