"""Rows for the graph, checked against the schema before they are sent.

The embedded server stores values that Neo4j refuses: null keys, mixed lists, times without a zone. So every value is
checked here, in the same way for both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Malformed
from graph.schema import Kind, Node, Property, Relation

Row = Mapping[str, Any]
_INT64 = 2**63

_SCALARS: dict[Kind, type] = {
    Kind.STRING: str,
    Kind.INTEGER: int,
    Kind.FLOAT: float,
    Kind.BOOLEAN: bool,
}
_LISTS: dict[Kind, Kind] = {Kind.STRINGS: Kind.STRING, Kind.FLOATS: Kind.FLOAT}


@dataclass(slots=True)
class Rows:
    """What one transaction writes: nodes by (label, second label), relations by arrow, and ends to keep by arrow."""

    nodes: dict[tuple[str, str], dict[str, Row]] = field(default_factory=dict)
    relations: dict[str, dict[tuple[str, str], Row]] = field(default_factory=dict)
    keep: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def node(self, node: Node, id_: str, second_label: str = "", /, **properties: Any) -> None:
        """Add a node; the last row of one id wins."""
        row = checked_node(node, {"id": id_, **properties})
        self.nodes.setdefault((node.label, second_label), {})[id_] = row

    def relation(self, relation: Relation, start: str, end: str, **properties: Any) -> None:
        """Add a relation; the last row of one pair wins."""
        row = checked_relation(relation, {"start": start, "end": end, **properties})
        self.relations.setdefault(relation.arrow, {})[start, end] = row
        if relation.owned:
            self.keep[relation.arrow].setdefault(start, set()).add(end)

    def owner(self, owned: Iterable[Relation], id_: str) -> None:
        """Declare that these rows hold all of this incident's relations of these kinds; others will be removed."""
        for relation in owned:
            self.keep.setdefault(relation.arrow, {})[id_] = set()


def checked_node(node: Node, row: Row) -> Row:
    """The row with every declared property, absent ones as None. Raises Malformed."""
    _check_key(row.get("id"), f"{node.label}.id")
    return {"id": row["id"], **_checked(node.label, node.properties, row, {"id"})}


def checked_relation(relation: Relation, row: Row) -> Row:
    """The row of a relation with every declared property, absent ones as None. Raises Malformed."""
    for end in ("start", "end"):
        _check_key(row.get(end), f"{relation.arrow} {end}")
    found = _checked(relation.arrow, relation.properties, row, {"start", "end"})
    return {"start": row["start"], "end": row["end"], **found}


def _check_key(value: object, place: str) -> None:
    if not isinstance(value, str) or not value:
        raise Malformed(f"a key must be a text that is not empty, not {value!r}", place)


def _checked(owner: str, properties: tuple[Property, ...], row: Row, keys: set[str]) -> dict[str, Any]:
    unknown = row.keys() - keys - {p.name for p in properties}
    if unknown:
        raise Malformed("no such property in the schema", f"{owner}.{min(unknown)}")
    return {p.name: _value(p.kind, row.get(p.name), f"{owner}.{p.name}") for p in properties}


def _value(kind: Kind, value: Any, place: str) -> Any:
    """The value as it is sent; None means absent."""
    if value is None:
        return None
    if kind in _LISTS:
        if not isinstance(value, list | tuple) or None in value:
            raise Malformed(f"must be a {kind.value}, not {value!r}", place)
        return [_scalar(_LISTS[kind], item, place) for item in value]
    return _scalar(kind, value, place)


def _scalar(kind: Kind, value: Any, place: str) -> Any:
    if kind is Kind.FLOAT and (type(value) is int or isinstance(value, float)):
        value = float(value)  # numpy's floats are floats to Python, but not to the driver
    # `type is`, not isinstance: True is an int to Python, and a datetime must not slip through.
    if type(value) is not _SCALARS[kind]:
        if isinstance(value, _SCALARS[kind]) and kind is Kind.STRING:
            return str(value.value) if hasattr(value, "value") else str.__str__(value)
        raise Malformed(f"must be a {kind.value}, not {type(value).__name__}", place)
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise Malformed("is larger than 64 bits", place)
    return value
