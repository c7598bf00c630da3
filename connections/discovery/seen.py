"""What a server showed, and the reading of its labels that proposing and comparing share. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.connections import SourceDecl
from evidence.clients.prometheus import matcher
from subjects.view import CLUSTER_LABELS, cluster_of

# Those of the usual names that PromQL takes without quotes.
GROUPABLE = tuple(name for name in CLUSTER_LABELS if re.fullmatch(r"[A-Za-z_]\w*", name))
_USUAL = SourceDecl(kind="alertmanager", name="any")
_PARTS = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query, and its value."""

    labels: Mapping[str, str]
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """An active scrape target: its labels, those before relabelling, and its URL; `interval_s` 0 when not known."""

    labels: Mapping[str, str]
    discovered: Mapping[str, str]
    url: str
    interval_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a cluster as the Kubernetes API has it."""

    name: str
    zone: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KubernetesSeen:
    """What a kubeconfig leads to: its file, the name of its cluster there, and the nodes."""

    file: str
    cluster: str
    nodes: tuple[Node, ...] = ()


@dataclass(slots=True)
class Seen:
    """The answers of one server. Fields of samples are instant vectors; see `asking.QUERIES` for what was asked.

    `targets` is None where the server does not list them. `intervals` are seconds between scrapes by job, the longest
    of its targets. `unanswered` are sentences on what could not be asked, or was answered in part.
    """

    version: str = ""
    up: tuple[Sample, ...] = ()
    etcd: tuple[Sample, ...] = ()
    etcd_ids: tuple[Sample, ...] = ()
    etcd_leaders: tuple[Sample, ...] = ()
    etcd_versions: tuple[Sample, ...] = ()
    etcd_scrapes: tuple[Sample, ...] = ()
    probes: tuple[Sample, ...] = ()
    nodes: tuple[Sample, ...] = ()
    node_zones: tuple[Sample, ...] = ()
    kubelets: tuple[Sample, ...] = ()
    pods: tuple[Sample, ...] = ()
    machines: tuple[Sample, ...] = ()
    alertmanager_series: tuple[Sample, ...] = ()
    external: Mapping[str, str] = field(default_factory=dict)
    alertmanagers: tuple[str, ...] = ()
    targets: tuple[Target, ...] | None = None
    intervals: Mapping[str, float] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether the server shows nothing that a connections file could hold."""
        return not (self.up or self.etcd or self.probes or self.nodes or self.kubelets or self.alertmanagers)

    def cluster(self, labels: Mapping[str, str]) -> str:
        """The cluster of a series: by its label, else by the label that the server adds to all its alerts."""
        return cluster_of(labels, _USUAL) or cluster_of(self.external, _USUAL)

    def cluster_series(self, labels: Mapping[str, str], series: str) -> str:
        """What the cluster of a series rests on."""
        return series if cluster_of(labels, _USUAL) else "global.external_labels of /api/v1/status/config"

    def target(self, labels: Mapping[str, str]) -> Target | None:
        """The target whose series carry these labels."""
        return next((t for t in self.targets or () if same_target(t.labels, labels)), None)


def cluster_label(labels: Mapping[str, str]) -> str:
    """The name of the label that holds the cluster, empty if none does."""
    return next((name for name in CLUSTER_LABELS if labels.get(name)), "")


def same_target(target: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a series with `labels` comes from the target: all labels of the target stand on its series."""
    names = ("job", "instance", *CLUSTER_LABELS)
    return all(target.get(name, "") == labels.get(name, "") for name in names)


def series(name: str, labels: Mapping[str, str], *kept: str) -> str:
    """`name{a="x"}` with the labels `kept`, or with all of them when none is named."""
    shown = {k: v for k, v in labels.items() if v and k != "__name__" and (not kept or k in kept)}
    return f"{name}{{{matcher(shown)}}}"


def selected(samples: Iterable[Sample], selector: Mapping[str, str]) -> list[Sample]:
    """The series that an equality selector matches, as PromQL does: an absent label is an empty one."""
    return [s for s in samples if all(s.labels.get(k, "") == v for k, v in selector.items())]


def host_of(instance: str) -> str:
    """The host of an `instance` label: without its port, and without the brackets of an IPv6 address."""
    if match := re.fullmatch(r"\[([^\]]+)\](:\d+)?", instance):
        return match.group(1)
    host, _, port = instance.rpartition(":")
    return host if host and ":" not in host and port.isdecimal() else instance


def seconds_of(duration: str) -> float:
    """`1m30s` in seconds, 0 when it is none."""
    parts = _PARTS.findall(duration)
    return sum(int(count) * _SECONDS[unit] for count, unit in parts) if "".join(map("".join, parts)) == duration else 0


def shown(text: str, most: int = 300) -> str:
    """Foreign text within one line of a comment or a terminal."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."
