"""Is the node below the pod not ready, or short of memory, disk or process ids?"""

from datetime import UTC, datetime
from typing import TypeAlias

from lightkube.models.core_v1 import Node, NodeCondition

from domain.entities import EntityKind
from domain.errors import Refused
from domain.findings import Item
from domain.scope import Scope
from domain.text import Text
from evidence.check import Ask, Charted, Check, Measure, MeasureResult, chart, either
from evidence.clients.prometheus import Line
from evidence.onset import end_ms, onset_ms
from evidence.pods import about_probes, ask_any, places

# Only what is bad comes back, so the answer stays small; the count shows that conditions are exported at all.
BAD = (
    '(kube_node_status_condition{condition="Ready",status="true"} == 0) or '
    '(kube_node_status_condition{condition!="Ready",status="true"} == 1) or '
    'count(kube_node_status_condition{condition="Ready",status="true"})'
)
PRESSURES = {"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}
# By node and condition: its series, or the time of its last change.
Conditions: TypeAlias = dict[tuple[str, str], Line | datetime]


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    nodes = {place.node for place in places(ask)}
    found = either(ask, _measured, lambda a: _listed(a, nodes))
    bad = sorted((node, condition) for node, condition in found if node in nodes)
    not_ready = [node for node, condition in bad if condition == "Ready"]
    pressed = [node for node, condition in bad if condition in PRESSURES]
    names = ", ".join(sorted(nodes))
    return {
        "node-not-ready": _not_ready(not_ready, names, found),
        "node-pressure": _under_pressure(pressed, names, found),
    }


def _measured(ask: Ask) -> Conditions:
    answered = ask_any(ask, BAD, step_s=15)
    if not any("condition" not in line.labels for line in answered.lines):
        raise Refused(Text("kube-state-metrics tells no conditions of nodes"))
    window = onset_ms(ask.scope), end_ms(ask.scope)
    return {(line.labels.get("node", ""), line.labels["condition"]): line for line in answered.lines
            if "condition" in line.labels and line.between(*window)}  # fmt: skip


def _listed(ask: Ask, nodes: set[str]) -> Conditions:
    """The API gives the conditions as they are now, with the time of their last change."""
    known = ask.kubernetes("/api/v1/nodes").nodes()
    if nodes.isdisjoint(_name(node) for node in known):
        raise Refused(Text("the cluster knows no node {nodes}", nodes=", ".join(sorted(nodes))))
    found: Conditions = {}
    for node in known:
        for condition in _bad_conditions(node):
            found[_name(node), condition.type] = condition.lastTransitionTime or ask.scope.as_of
    return found


def _name(node: Node) -> str:
    return (node.metadata.name or "") if node.metadata else ""


def _bad_conditions(node: Node) -> list[NodeCondition]:
    """Ready is bad when it is not true, every other condition when it is not false."""
    conditions = (node.status.conditions or []) if node.status else []
    return [c for c in conditions if c.status != ("True" if c.type == "Ready" else "False")]


def _not_ready(hits: list[str], names: str, found: Conditions) -> MeasureResult:
    if not hits:
        return MeasureResult(False, Text("{names} was ready.", names=names), 0.0, 0, names)
    return _result(hits, ["Ready"], found, Text("{node} was not ready.", node=hits[0]))


def _under_pressure(hits: list[str], names: str, found: Conditions) -> MeasureResult:
    if not hits:
        return MeasureResult(False, Text("{names} was without pressure.", names=names), 0.0, 0, names)
    conditions = sorted({condition for node, condition in found if node in hits and condition != "Ready"})
    sentence = Text("{node} had {conditions}.", node=hits[0], conditions=", ".join(conditions))
    return _result(hits, conditions, found, sentence)


def _result(hits: list[str], conditions: list[str], found: Conditions, sentence: Text) -> MeasureResult:
    """Seen, at the nodes `hits` (one or more), since the first of these conditions became bad."""
    sources = [found[node, c] for node in hits for c in conditions if (node, c) in found]
    lines = [source for source in sources if isinstance(source, Line)]
    return MeasureResult(
        True,
        sentence,
        float(len(set(hits))),
        0,
        hits[0],
        items=tuple(Item(node, None, condition) for node, condition in sorted(found) if node in hits),
        series=chart(lines, lambda line: line.labels.get("condition", "")),
        first_seen_at=min(_since(source) for source in sources),
    )


def _since(source: Line | datetime) -> datetime:
    """When the condition became bad, by its series or by the API's time."""
    if isinstance(source, Line):
        return datetime.fromtimestamp(source.points[0].at_ms / 1000, UTC)
    return source


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
    metrics=("kube_node_status_condition",),
)
