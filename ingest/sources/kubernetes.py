"""Messages of the Kubernetes watcher: one per workload and kind of failure.

Their texts come from the kubelet and from applications, so they are as untrusted as any alert's.
"""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import SourceDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import Malformed
from domain.text import Text
from ingest.sources.source import YEARS, AlertSource, SetupStep, clean

ROLE = Path(__file__).parent / "assets" / "kubernetes_read_only_role.yaml"
MOST_PODS = 20
MOST_MESSAGES = 5
MESSAGE_CUT = 400
TITLE_CUT = 160
# Words of the kubelet and of Go's client around what went wrong.
PREFIXES = re.compile(
    r"^(?:\(combined from similar events\): )?(?:(?:Readiness|Liveness|Startup) probe \w+[^:]{0,40}: )?"
)
AROUND = re.compile(
    r'(?:Get|Head|Post) "[^"]*": | ?\((?:Client\.Timeout|caused by)[^)]*\)?| in pod \S+\([0-9a-f-]{36}\)'
)
MISSING = re.compile(r"required field `(\w+)`")
CASES = {
    "BackOff": ("ContainerBackOff", "Container of {0} does not stay up: {1}", Severity.HIGH),
    "FailedMount": ("VolumeMountFails", "Volume of {0} cannot be mounted: {1}", Severity.WARNING),
    "FailedAttachVolume": ("VolumeAttachFails", "Volume of {0} cannot be attached: {1}", Severity.WARNING),
    "ProbeWarning": ("ProbeWarning", "Probe of {0} warns: {1}", Severity.INFO),
}  # fmt: skip
LABELS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}
NOT_FAILURES = Text(
    "Kubernetes told of {events} events. Event counts are not failure counts: alike events are joined and limited in"
    " rate; prober_probe_total says how often a probe failed."
)


class Owner(msgspec.Struct, frozen=True):
    """The workload, from owner references; kind Pod when a pod has no owner or is not known."""

    kind: str
    name: str


class PodSeen(msgspec.Struct, frozen=True):
    """A pod that an event was about."""

    name: str
    node: str = ""


class EventGroupMessage(msgspec.Struct, frozen=True):
    """The message. `first` identifies the occurrence; `count` is a number of events, not of failures.

    At least `after_deletion` of them came during a pod's deletion, and `at_start` in a container's first minute.
    """

    version: Literal[1]
    state: Literal["firing", "resolved"]
    cluster: str
    namespace: str
    workload: Owner
    reason: str
    first: datetime
    last: datetime
    probe: Literal["", "Readiness", "Liveness", "Startup"] = ""
    pods: list[PodSeen] = []
    more_pods: int = 0
    messages: list[str] = []
    count: int = 1
    after_deletion: int = 0
    at_start: int = 0
    ended: datetime | None = None


_DECODER = msgspec.json.Decoder(EventGroupMessage)


def failure_kind(reason: str, probe: str) -> str:
    """What events are grouped by: the probe, for its failures and the restarts that it caused, else the reason."""
    return probe if probe and reason in {"Unhealthy", "Killing"} else reason


def parse(body: bytes, received_at: datetime, declared: SourceDecl) -> ParsedDelivery:
    """The one alert of a message."""
    try:
        message = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text, _, place = str(error).partition(" - at `$")
        missing = MISSING.search(text)
        field = f"{place.strip('.`')}.{missing[1] if missing else ''}".strip(".")
        raise Malformed(f"{text}; expected a message of the Kubernetes watcher", field) from error
    for name in ("cluster", "reason", "workload.name"):
        if not (message.workload.name if name == "workload.name" else getattr(message, name)):
            raise Malformed("is empty; name what the events are about", name)
    return ParsedDelivery((_alert(message, received_at),))


def _alert(message: EventGroupMessage, received_at: datetime) -> ParsedAlert:
    first = _time(message.first, "first")
    name, _, severity = _case(message)
    title = title_of(message)
    resolved = message.state == "resolved"
    return ParsedAlert(
        identity=identity_of(message), occurrence=first.isoformat(), state=AlertState(message.state), name=name,
        title=title, severity=severity, started_at=min(first, received_at),
        ended_at=_time(message.ended or message.last, "ended") if resolved else None,
        entities=_entities(message), labels=_labels(message),
        annotations={
            "summary": title,
            "description": NOT_FAILURES.format(events=message.count).en,
            "description_zh": NOT_FAILURES.format(events=message.count).in_language("zh"),
            **{f"message_{n}": clean(text)[:MESSAGE_CUT] for n, text in enumerate(message.messages[:MOST_MESSAGES], 1)},
            **({"after_deletion": str(message.after_deletion)} if message.after_deletion else {}),
            **({"at_start": str(message.at_start)} if message.at_start else {}),
        },
    )  # fmt: skip


def identity_of(message: EventGroupMessage) -> str:
    """The alert's identity, the same for all messages of one group."""
    workload, failure = message.workload, failure_kind(message.reason, message.probe)
    parts = (message.cluster, message.namespace, workload.kind, workload.name, failure, message.probe)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def title_of(message: EventGroupMessage) -> str:
    """E.g. `Readiness probe of shop/cart fails: context deadline exceeded (3 pods)`."""
    where = clean(f"{message.namespace}/{message.workload.name}" if message.namespace else message.workload.name)
    text = short(message.messages[-1]) if message.messages else message.reason
    pods = len(message.pods) + message.more_pods
    return _case(message)[1].format(where, text) + (f" ({pods} pods)" if pods > 1 else "")


def short(message: str) -> str:
    """The reason in a kubelet's message, without the text around it."""
    text = " ".join(AROUND.sub("", PREFIXES.sub("", clean(message), count=1)).split())
    return text[:TITLE_CUT] or "no reason given"


def _case(message: EventGroupMessage) -> tuple[str, str, Severity]:
    """Name, title with {0} for the workload and {1} for the reason, and severity."""
    if message.probe and message.reason == "Killing":
        title = f"{message.probe} probe of {{0}} fails, its container is restarted: {{1}}"
        return f"{message.probe}ProbeFails", title, Severity.HIGH
    if message.probe and message.reason == "Unhealthy":
        return f"{message.probe}ProbeFails", f"{message.probe} probe of {{0}} fails: {{1}}", Severity.WARNING
    reason = "".join(c for c in message.reason if c.isalnum())[:80]
    return CASES.get(message.reason, (f"Pod{reason}", f"{reason} at {{0}}: {{1}}", Severity.WARNING))


def _entities(message: EventGroupMessage) -> tuple[EntityRef, ...]:
    cluster, namespace = clean(message.cluster), clean(message.namespace)
    pods = [EntityRef(EntityKind.POD, clean(p.name), cluster, namespace) for p in message.pods[:MOST_PODS] if p.name]
    owner = EntityRef(EntityKind.POD if message.workload.kind == "Pod" else EntityKind.WORKLOAD,
                      clean(message.workload.name), cluster, namespace)  # fmt: skip
    return tuple(dict.fromkeys((*pods, owner)))


def _labels(message: EventGroupMessage) -> dict[str, str]:
    """Labels named like Alertmanager's; pod and node only if there is exactly one."""
    labels = {
        "cluster": message.cluster,
        "namespace": message.namespace,
        "reason": message.reason,
        "probe_type": message.probe,
    }
    if kind := LABELS.get(message.workload.kind):
        labels[kind] = message.workload.name
    nodes = {pod.node for pod in message.pods if pod.node}
    if len(message.pods) == 1 and not message.more_pods:
        labels["pod"] = message.pods[0].name
    if len(nodes) == 1:
        labels["node"] = nodes.pop()
    return {key: clean(value) for key, value in labels.items() if value}


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
