"""Is the node below the pod not ready, or short of memory, disk or process ids?"""

from datetime import UTC, datetime

from domain.entities import EntityKind
from domain.errors import Refused
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, either
from evidence.clients.prometheus import Line
from evidence.pods import about_probes, ask_any, end_ms, onset_ms, places

# Only what is bad comes back, so the answer stays small; the count tells that somebody looks at all.
BAD = (
    '(kube_node_status_condition{condition="Ready",status="true"} == 0) or '
    '(kube_node_status_condition{condition!="Ready",status="true"} == 1) or '
    'count(kube_node_status_condition{condition="Ready",status="true"})'
)
PRESSURES = {"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    nodes = {place.node for place in places(ask)}
    found = either(ask, _measured, lambda a: _listed(a, nodes))
    bad = sorted((node, condition) for node, condition in found if node in nodes)
    return {
        "node-not-ready": _told([n for n, c in bad if c == "Ready"], nodes, found, "Ready"),
        "node-pressure": _told([n for n, c in bad if c in PRESSURES], nodes, found, "pressure"),
    }


def _measured(ask: Ask) -> dict[tuple[str, str], Line | datetime]:
    answered = ask_any(ask, BAD, step_s=15)
    if not any("condition" not in line.labels for line in answered.lines):
        raise Refused(Text("kube-state-metrics tells no conditions of nodes"))
    window = onset_ms(ask.scope), end_ms(ask.scope)
    return {(line.labels.get("node", ""), line.labels["condition"]): line for line in answered.lines
            if "condition" in line.labels and line.between(*window)}  # fmt: skip


def _listed(ask: Ask, nodes: set[str]) -> dict[tuple[str, str], Line | datetime]:
    """The API tells the conditions as they are now, with the time of their last change."""
    found: dict[tuple[str, str], Line | datetime] = {}
    known = ask.kubernetes("/api/v1/nodes").nodes()
    if nodes.isdisjoint((n.metadata.name or "") if n.metadata else "" for n in known):
        raise Refused(Text("the cluster knows no node {nodes}", nodes=", ".join(sorted(nodes))))
    for node in known:
        for condition in (node.status.conditions or []) if node.status else []:
            good = "True" if condition.type == "Ready" else "False"
            if condition.status != good:
                name = (node.metadata.name or "") if node.metadata else ""
                found[(name, condition.type)] = condition.lastTransitionTime or ask.scope.as_of
    return found


def _told(hits: list[str], nodes: set[str], found: dict[tuple[str, str], Line | datetime], what: str) -> MeasureResult:
    names = ", ".join(sorted(nodes))
    if not hits:
        good = Text("{names} was ready.", names=names)
        if what != "Ready":
            good = Text("{names} was without pressure.", names=names)
        return MeasureResult(False, good, 0.0, 0, names)
    conditions = sorted({c for (n, c) in found if n in hits and (c == "Ready") is (what == "Ready")})
    told = [found[(n, c)] for n in hits for c in conditions if (n, c) in found]
    bad = Text("{node} was not ready.", node=hits[0])
    if what != "Ready":
        bad = Text("{node} had {conditions}.", node=hits[0], conditions=", ".join(conditions))
    items = tuple(Item(n, None, c) for n, c in sorted(found) if n in hits)
    return MeasureResult(True, bad, float(len(set(hits))), 0, hits[0], items=items,
                series=chart([x for x in told if isinstance(x, Line)], lambda x: x.labels.get("condition", "")),
                first_seen_at=min(_since(x) for x in told))  # fmt: skip


def _since(told: Line | datetime) -> datetime:
    return datetime.fromtimestamp(told.points[0].at_ms / 1000, UTC) if isinstance(told, Line) else told


def _about(scope: Scope) -> bool:
    return about_probes(scope) or bool(scope.of_kind(EntityKind.HOST))


CONDITION = Charted(Text("the condition that is bad"))
CHECK = Check(
    "node-state",
    Text("Is the node below in order?"),
    (
        Measure("node-not-ready", Text("Was the node not ready?"), "nodes", charted=CONDITION),
        Measure("node-pressure", Text("Was the node under pressure?"), "nodes", charted=CONDITION),
    ),
    _about,
    _collect,
    needs=("prometheus", "kubernetes api"),
    cost=3,
)
