"""Parsed alerts: what a source's parser makes of a raw delivery."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.entities import EntityRef
from domain.text import Text


class Severity(StrEnum):
    """Ordered from harmless to worst; Zabbix 0..5 and Alertmanager's `severity` label map onto it."""

    INFO = "info"
    WARNING = "warning"
    AVERAGE = "average"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (info) to 4 (critical)."""
        return list(Severity).index(self)


SEVERITY_NAMES = {
    Severity.INFO: Text("info"),
    Severity.WARNING: Text("warning"),
    Severity.AVERAGE: Text("average"),
    Severity.HIGH: Text("high"),
    Severity.CRITICAL: Text("critical"),
}


class Family(StrEnum):
    """What kind of failure an alert speaks of; UNKNOWN when neither its rule nor its labels are known."""

    ETCD = "etcd"
    API_SERVER = "apiserver"
    CONTROL_PLANE = "control-plane"
    NODE = "node"
    POD = "pod"
    WORKLOAD = "workload"
    PROBE = "probe"
    TARGET = "target"
    STORAGE = "storage"
    NETWORK = "network"
    CAPACITY = "capacity"
    MONITORING = "monitoring"
    APPLICATION = "application"
    HEARTBEAT = "heartbeat"
    UNKNOWN = ""


NOTHING_NAMES_IT = Text("nothing names it")


class AlertState(StrEnum):
    """The state of one alert in one message. UPDATE changes the alert but neither fires nor resolves it."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class ParsedAlert:
    """One alert of one delivery.

    `identity` is unique within the source instance (Zabbix: event id, Alertmanager: fingerprint);
    `occurrence` distinguishes the occurrences of one identity (Alertmanager: startsAt in ISO; Zabbix: empty).
    All times are aware UTC. `labels` and `annotations` are untrusted text.
    `subject` is what the alert is about, None when nothing names it; `entities` holds it and what else the alert
    names, never what only reports it: that is `reporter`. `decided_by` is the rule or label that decided.
    `names_from` is the statement by which the aliases of the entities are names of them, None when nobody made one.
    A `test` notification was sent by hand to try the way, and opens nothing.
    """

    identity: str
    occurrence: str
    state: AlertState
    name: str
    title: str
    severity: Severity
    started_at: datetime
    ended_at: datetime | None = None
    entities: tuple[EntityRef, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    url: str = ""
    note: str = ""
    acknowledged: bool = False
    ticket_keys: tuple[str, ...] = ()
    subject: EntityRef | None = None
    family: Family = Family.UNKNOWN
    reporter: str = ""
    decided_by: Text = NOTHING_NAMES_IT
    names_from: Text | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class ParsedDelivery:
    """All alerts of one delivery, in order. `missing` is the number of alerts that the sender left out."""

    alerts: tuple[ParsedAlert, ...]
    group_key: str = ""
    missing: int = 0
    ticket_labels: tuple[str, ...] = ()
