"""Cypher generated from the schema: constraints, indexes, and one MERGE statement per node and relation."""

from dataclasses import dataclass
from enum import Enum

from graph import schema


class Mode(Enum):
    """READ runs in a read transaction, WRITE in a write transaction, SCHEMA in none."""

    READ = "read"
    WRITE = "write"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement: its mode, its text, the names of its parameters and of its result columns."""

    name: str
    mode: Mode
    text: str
    parameters: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def constraint(node: schema.Node) -> Query:
    """The uniqueness of a label's key."""
    name = f"{node.label.lower()}_id"
    text = f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{node.label}) REQUIRE n.id IS UNIQUE"
    return Query(f"constraint {node.label}", Mode.SCHEMA, text)


def index(node: schema.Node, prop: schema.Property) -> Query:
    """A range index over one property."""
    name = f"{node.label.lower()}_{prop.name}"
    text = f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{node.label}) ON (n.{prop.name})"
    return Query(f"index {node.label}.{prop.name}", Mode.SCHEMA, text)


def merge_node(node: schema.Node, second_label: str = "") -> Query:
    """Write nodes by key. Every declared property is set, and an absent one removed unless the node `keeps` it."""
    labels = f"{node.label}:{second_label}" if second_label else node.label
    lines = ["UNWIND $rows AS row", f"MERGE (n:{labels} {{id: row.id}})", *_set("n", node.properties, node.keeps)]
    return Query(f"merge {labels}", Mode.WRITE, "\n".join(lines), ("rows",))


def merge_relation(relation: schema.Relation) -> Query:
    """Write relations between nodes that exist; rows with a missing end write nothing."""
    lines = [
        "UNWIND $rows AS row",
        f"MATCH (a:{relation.start} {{id: row.start}})",
        f"MATCH (b:{relation.end} {{id: row.end}})",
        f"MERGE (a)-[r:{relation.kind}]->(b)",
        *_set("r", relation.properties),
    ]
    return Query(f"merge {relation.arrow}", Mode.WRITE, "\n".join(lines), ("rows",))


def prune(relation: schema.Relation) -> Query:
    """Remove an incident's relations whose ends are not in its newest snapshot (`row.keep`)."""
    lines = [
        "UNWIND $rows AS row",
        f"MATCH (a:{relation.start} {{id: row.id}})-[r:{relation.kind}]->(b:{relation.end})",
        "WHERE NOT b.id IN row.keep",
        "DELETE r",
    ]
    return Query(f"prune {relation.arrow}", Mode.WRITE, "\n".join(lines), ("rows",))


def stored_relations(relations: tuple[schema.Relation, ...]) -> Query:
    """The ends of these relations, which share one start label, for several incidents at once."""
    (start,) = {relation.start for relation in relations}
    lines = [
        "UNWIND $incidents AS incident",
        f"MATCH (a:{start} {{id: incident}})-[r:{'|'.join(relation.kind for relation in relations)}]->(b)",
        "RETURN incident, type(r) AS kind, b.id AS end",
    ]
    return Query("stored relations", Mode.READ, "\n".join(lines), ("incidents",), ("incident", "kind", "end"))


def _set(variable: str, properties: tuple[schema.Property, ...], keeps: bool = False) -> list[str]:
    if not properties:
        return []
    value = "coalesce(row.{p}, {v}.{p})" if keeps else "row.{p}"
    sets = (f"{variable}.{p.name} = {value.format(p=p.name, v=variable)}" for p in properties)
    return ["SET " + ", ".join(sets)]


CONSTRAINTS = tuple(constraint(node) for node in schema.NODES)
INDEXES = tuple(index(node, prop) for node in schema.NODES for prop in node.properties if prop.indexed)
MERGE_NODE = {
    (node.label, second): merge_node(node, second) for node in schema.NODES for second in (node.second_labels or ("",))
}
MERGE_RELATION = {relation.arrow: merge_relation(relation) for relation in schema.RELATIONS}
PRUNE = {relation.arrow: prune(relation) for relation in schema.OWNED}
STORED_RELATIONS = stored_relations(schema.OWNED)
