"""The part of the graph around one incident, with a limited number of nodes, for a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graph import queries
from graph.cypher import Query
from graph.schema import NODE_OF

Read = Callable[..., list[dict[str, Any]]]

MAX_DEPTH = 3
MAX_NODES = 150
# Per label and step: a finding that ten thousand incidents share must not fill the picture.
_LINES_PER_STEP = 120


@dataclass(frozen=True, slots=True, order=True)
class PictureNode:
    """One node. `name` is `label:id`, unique in the picture; `kind` is the second label, if any;
    `steps` is the distance from the incident, 0 for itself."""

    name: str
    label: str
    kind: str
    id: str
    title: str
    steps: int


@dataclass(frozen=True, slots=True, order=True)
class PictureEdge:
    """One relation between two nodes, given by name; `weight` is its probability, score or weight, if it has one."""

    start: str
    kind: str
    end: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Nodes by distance, then name; edges in order. `cut` is True if there were more than `MAX_NODES`."""

    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    cut: bool = False


def neighbourhood(read: Read, incident_id: str, depth: int) -> Neighbourhood:
    """Walk outward step by step; `depth` is clamped to 1..3."""
    found = read(queries.ONE_INCIDENT, incident=incident_id)
    if not found:
        return Neighbourhood((), ())
    first = _node("Incident", "", incident_id, found[0]["properties"], 0)
    nodes, edges, cut = {first.name: first}, set[PictureEdge](), False
    frontier = [first]
    for steps in range(1, min(max(depth, 1), MAX_DEPTH) + 1):
        fresh: list[PictureNode] = []
        for line, start in _lines(read, frontier):
            node = _other(line, steps)
            if node.name not in nodes:
                if len(nodes) >= MAX_NODES:
                    cut = True
                    continue
                nodes[node.name] = node
                fresh.append(node)
            edges.add(_edge(line, start, node.name))
        frontier = fresh
    return Neighbourhood(
        tuple(sorted(nodes.values(), key=lambda n: (n.steps, n.name))),
        tuple(sorted(edges, key=lambda e: (e.start, e.kind, e.end))),
        cut,
    )


def _lines(read: Read, frontier: list[PictureNode]) -> list[tuple[dict[str, Any], str]]:
    lines = []
    for label in sorted({node.label for node in frontier}):
        query: Query = queries.AROUND[label]
        ids = sorted(node.id for node in frontier if node.label == label)
        for line in read(query, ids=ids, limit=_LINES_PER_STEP):
            lines.append((line, f"{label}:{line['id']}"))
    return lines


def _other(line: dict[str, Any], steps: int) -> PictureNode:
    label = next(name for name in line["labels"] if name in NODE_OF)
    kind = next((name for name in line["labels"] if name in NODE_OF[label].second_labels), "")
    return _node(label, kind, line["other"], line["properties"], steps)


def _node(label: str, kind: str, id_: str, properties: dict[str, Any], steps: int) -> PictureNode:
    title = properties.get("title") or properties.get("name") or properties.get("measure") or id_
    return PictureNode(f"{label}:{id_}", label, kind, id_, str(title), steps)


def _edge(line: dict[str, Any], start: str, end: str) -> PictureEdge:
    relation = line["relation"]
    weight = next((relation[n] for n in ("probability", "score", "weight") if n in relation), None)
    if not line["outward"]:
        start, end = end, start
    return PictureEdge(start, line["kind"], end, weight)
