"""Which pods of the cluster stopped being ready around the incident, on which nodes, and of how many."""

from dataclasses import dataclass, replace

from domain.errors import ProductError, Refused
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask
from evidence.clients.prometheus import Line, escape
from evidence.onset import end_ms, onset_ms
from evidence.pods import POD_STATE, STATUS, ask_any, ask_pods, is_ours, named, namespace, workload_of

# Only pods that are not ready come back; jobs end unready by nature.
UNREADY = (
    '(kube_pod_status_ready{condition="true"} == 0) * on (namespace, pod) group_left (node) '
    'kube_pod_info{created_by_kind!="Job"}'
)
# Pods that start are unready for a while; and two samples of 15 s that follow each other are one spell.
SPELL_MS, GAP_MS = 30_000, 20_000
# Half of the other workloads' pods of a node or a zone are its own fault; fewer than two are no evidence.
SHARE, LEAST = 0.5, 2
TOTALS = 'count by (node) (kube_pod_info{{created_by_kind!="Job"}}) or kube_pod_info{{namespace="{namespace}"}}'


CROWD = ("kube_pod_status_ready", "kube_pod_info")


@dataclass(frozen=True, slots=True, order=True)
class Fallen:
    """A pod that was not ready in the window and had been before; `first_ms` is when it was first seen so."""

    namespace: str
    pod: str
    node: str
    first_ms: int

    @property
    def workload(self) -> str:
        """What owns it, by its name."""
        return workload_of(self.pod)


@dataclass(frozen=True, slots=True)
class Crowd:
    """All pods around: those that fell, how many run on each node; of the own namespace each pod's node and owner."""

    namespace: str
    fallen: tuple[Fallen, ...]
    per_node: dict[str, int]
    nodes: dict[str, str]
    owners: dict[str, str]

    def own(self, scope: Scope) -> set[str]:
        """The incident's pods. Raises Refused when none of them is known."""
        if found := {pod for pod in self.nodes if is_ours(scope, pod)}:
            return found
        raise Refused(Text("kube-state-metrics does not know the incident's pods"))

    def fell(self, own: set[str]) -> tuple[Fallen, ...]:
        """Those of the own pods that fell; another namespace may have pods of the same names."""
        return tuple(f for f in self.fallen if f.namespace == self.namespace and f.pod in own)

    def beside(self, own: set[str], apart_ms: int = 90_000) -> tuple[Fallen, ...]:
        """The others that fell at about the same time as the own pods; all others when no own pod fell."""
        fell = self.fell(own)
        first = min((f.first_ms for f in fell), default=None)
        others = (f for f in self.fallen if f not in fell)
        return tuple(f for f in others if first is None or abs(f.first_ms - first) <= apart_ms)

    @property
    def total(self) -> int:
        """Pods of the cluster."""
        return sum(self.per_node.values())


def crowd(ask: Ask) -> Crowd:
    """Both questions, each sent once an investigation. Raises Refused when kube-state-metrics is not scraped."""
    own = _own(ask)
    where = namespace(ask.scope)
    totals = ask_any(ask, TOTALS.format(namespace=escape(where)), step_s=60)
    counts = {x.labels.get("node", ""): int(_most(x)) for x in totals.lines if "pod" not in x.labels}
    nodes = {x.labels["pod"]: x.labels.get("node", "") for x in totals.lines if "pod" in x.labels}
    owners = {x.labels["pod"]: x.labels.get("created_by_name", "") for x in totals.lines if "pod" in x.labels}
    if not counts:
        raise Refused(Text("kube-state-metrics tells no pods (kube_pod_info)"))
    unready = ask_any(ask, UNREADY, step_s=15)
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    fallen = {(f.namespace, f.pod): f for line in unready.lines for f in _fallen(line, start, end)}
    for one in own:
        first = min(one.first_ms, fallen.get((one.namespace, one.pod), one).first_ms)
        fallen[(one.namespace, one.pod)] = replace(one, node=nodes.get(one.pod, ""), first_ms=first)
    return Crowd(where, tuple(sorted(fallen.values())), counts, nodes, owners)


def _own(ask: Ask) -> list[Fallen]:
    """The incident's pod by its own series, which are read three times as finely."""
    try:
        lines = named(ask_pods(ask, POD_STATE), f"{STATUS}ready")
    except ProductError:
        return []
    start, end = onset_ms(ask.scope), end_ms(ask.scope)
    down = [replace(x, points=tuple(p for p in x.points if p.value == 0)) for x in lines]
    return [f for line in down for f in _fallen(line, start, end)]


def _most(line: Line) -> float:
    return max((p.value for p in line.points), default=0.0)


def _fallen(line: Line, start: int, end: int) -> list[Fallen]:
    """The first spell in the window beyond a pod's own start; a pod that is always unready is no evidence."""
    for since, until in _spells(line):
        if not start <= since <= end:
            continue
        if until - since >= SPELL_MS or until >= end - GAP_MS:
            labels = line.labels
            return [Fallen(labels.get("namespace", ""), labels.get("pod", ""), labels.get("node", ""), since)]
    return []


def _spells(line: Line) -> list[tuple[int, int]]:
    """From and to (epoch ms) of each time without a gap."""
    found: list[tuple[int, int]] = []
    for point in line.points:
        if found and point.at_ms - found[-1][1] <= GAP_MS:
            found[-1] = (found[-1][0], point.at_ms)
        else:
            found.append((point.at_ms, point.at_ms))
    return found
