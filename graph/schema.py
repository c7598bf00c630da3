"""The schema of the graph: every node and relation with its properties, as frozen dataclasses.

The MERGE text, the constraints, the checks before a write and docs/graph.md are all generated from it.
Times are integers `*_ms` (epoch milliseconds, UTC). Labels are set at creation and never change.
Every node has one key, `id`, unique within its first label and never null or empty.
"""

from dataclasses import dataclass
from enum import Enum

from domain.entities import EntityKind, RelationKind


class Kind(Enum):
    """The type of a property; the value is its name in docs/graph.md."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRINGS = "list of strings"
    FLOATS = "list of floats"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a node or relation. `indexed` makes a range index (nodes only)."""

    name: str
    kind: Kind
    description: str
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One label. `second_labels` are further labels, of which a node has exactly one.

    With `keeps` a property that is absent from a row stays as it is, for nodes whose rows are incomplete.
    """

    label: str
    description: str
    key: str
    properties: tuple[Property, ...]
    second_labels: tuple[str, ...] = ()
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """`(start)-[:kind]->(end)`. An `owned` relation is part of one incident: it is removed when the incident's newest
    snapshot does not contain it."""

    start: str
    kind: str
    end: str
    description: str
    properties: tuple[Property, ...] = ()
    owned: bool = False

    @property
    def arrow(self) -> str:
        """The pattern as Cypher writes it."""
        return f"(:{self.start})-[:{self.kind}]->(:{self.end})"


def _text(name: str, description: str, indexed: bool = False) -> Property:
    return Property(name, Kind.STRING, description, indexed)


def _time(name: str, description: str, indexed: bool = False) -> Property:
    return Property(name, Kind.INTEGER, f"{description}, epoch milliseconds UTC", indexed)


_REVISION = Property("revision", Kind.INTEGER, "revision of the verdict that said so, 0 before the first")

INCIDENT = Node(
    "Incident",
    "One incident, with the profile by which similar ones are compared",
    "the incident's UUID",
    (
        Property("number", Kind.INTEGER, "short number shown to people"),
        _text("title", "headline"),
        _text("state", "open or resolved"),
        _text("severity", "info, warning, average, high or critical"),
        _time("started_ms", "first alert", indexed=True),
        _time("resolved_ms", "resolved; absent while open"),
        _REVISION,
        _text("verdict", "ranked, unknown or no_fault; absent before the first verdict"),
        Property("causes", Kind.STRINGS, "profile: ranked or, if any, confirmed causes, best first"),
        Property("probabilities", Kind.FLOATS, "profile: one per cause, 0..1; a confirmed cause has 1"),
        Property("confirmed", Kind.BOOLEAN, "profile: whether a person confirmed the causes"),
        _text("fixed_by", "what a person wrote down as the fix"),
        Property("findings", Kind.STRINGS, "profile: ids of the findings it showed"),
        Property("entities", Kind.STRINGS, "profile: keys of the entities it affects"),
        Property("alerts", Kind.STRINGS, "profile: names of its alerts"),
        _text("url", "page of the incident"),
        _text("recurrence_of", "id of the recorded incident that this one repeats; empty if it is its own"),
    ),
)
ALERT = Node(
    "Alert",
    "One occurrence of an alert",
    "the alert's id in the record",
    (
        _text("source", "alert source that sent it"),
        _text("name", "rule or trigger name", indexed=True),
        _text("title", "headline"),
        _text("severity", "as of an incident"),
        _text("state", "firing or resolved"),
        _time("started_ms", "began"),
        _time("ended_ms", "ended; absent while firing"),
    ),
)
ENTITY = Node(
    "Entity",
    "One thing that alerts are about; the second label says what kind",
    "kind/cluster/namespace/name",
    (
        _text("name", "name within its namespace", indexed=True),
        _text("cluster", "cluster; empty if not known"),
        _text("namespace", "namespace; empty if it has none"),
    ),
    tuple(kind.value for kind in EntityKind),
)
FINDING = Node(
    "Finding",
    "One outcome of one measure, shared by all incidents that showed it",
    "measure:yes or measure:no",
    (
        _text("measure", "what was measured"),
        Property("seen", Kind.BOOLEAN, "true: it was observed; false: looked, and it is not so"),
    ),
)
CAUSE = Node(
    "Cause",
    "One root cause of the catalogue",
    "slug of the cause",
    (
        _text("layer", "layer of the system; empty if only a person named the cause"),
        _text("title", "title in English"),
        _text("title_zh", "title in Simplified Chinese"),
    ),
    keeps=True,
)
CHANGE = Node(
    "Change",
    "One deploy, commit or configuration change",
    "the change's id in the record",
    (
        _text("kind", "deploy, commit, config ..."),
        _text("title", "headline"),
        _time("at_ms", "when it was made", indexed=True),
        _text("url", "where to read about it"),
    ),
)
TICKET = Node("Ticket", "One ticket of a ticket system", "key of the ticket", ())

NODES = (INCIDENT, ALERT, ENTITY, FINDING, CAUSE, CHANGE, TICKET)
NODE_OF = {node.label: node for node in NODES}

# (Alert)-[:PART_OF]->(Incident)
ALERT_OF = Relation("Alert", "PART_OF", "Incident", "the alert was grouped into the incident")
# (Alert)-[:ON]->(Entity)
ALERT_ON = Relation("Alert", "ON", "Entity", "the alert is about the entity")
# (Incident)-[:AFFECTS]->(Entity)
AFFECTS = Relation("Incident", "AFFECTS", "Entity", "the incident touches the entity", owned=True)
# (Incident)-[:SHOWED {value, ...}]->(Finding)
SHOWED = Relation(
    "Incident",
    "SHOWED",
    "Finding",
    "what an investigation found; unknown outcomes are not remembered",
    (
        Property("value", Kind.FLOAT, "measured value; absent if it has none"),
        Property("limit", Kind.FLOAT, "what it was compared with; absent if nothing"),
        _text("unit", "unit of value and limit"),
        _text("subject", "member, pod or pair it is about"),
        _text("sentence", "the finding in English"),
        _text("sentence_zh", "the finding in Simplified Chinese"),
        _REVISION,
    ),
    owned=True,
)
_WEIGHT = Property("weight", Kind.FLOAT, "log-likelihood ratio in the newest ranking that used it")
# (Finding)-[:SUPPORTS {weight}]->(Cause)
SUPPORTS = Relation("Finding", "SUPPORTS", "Cause", "the finding speaks for the cause", (_WEIGHT,))
# (Finding)-[:CONTRADICTS {weight}]->(Cause)
CONTRADICTS = Relation("Finding", "CONTRADICTS", "Cause", "the finding speaks against the cause", (_WEIGHT,))
# (Incident)-[:RANKED {position, probability, revision}]->(Cause)
RANKED = Relation(
    "Incident",
    "RANKED",
    "Cause",
    "the newest verdict's ranking",
    (
        Property("position", Kind.INTEGER, "1 is the most probable"),
        Property("probability", Kind.FLOAT, "0..1"),
        _REVISION,
    ),
    owned=True,
)
# (Incident)-[:CONFIRMED_AS {by, at_ms}]->(Cause)
CONFIRMED_AS = Relation(
    "Incident",
    "CONFIRMED_AS",
    "Cause",
    "a person confirmed the cause",
    (_text("by", "who"), _time("at_ms", "when"), _text("fixed_by", "what fixed it")),
    owned=True,
)
# (Incident)-[:REJECTED]->(Cause)
REJECTED = Relation("Incident", "REJECTED", "Cause", "a person said it was not this cause", owned=True)
# (Incident)-[:SIMILAR_TO {score, why}]->(Incident)
SIMILAR_TO = Relation(
    "Incident",
    "SIMILAR_TO",
    "Incident",
    "an earlier incident that is alike",
    (
        Property("score", Kind.FLOAT, "0..1, higher is more alike"),
        Property("why", Kind.STRINGS, "the reasons in English"),
        Property("why_zh", Kind.STRINGS, "the reasons in Simplified Chinese"),
    ),
    owned=True,
)
# (Change)-[:TOUCHED]->(Entity)
TOUCHED = Relation("Change", "TOUCHED", "Entity", "the change altered the entity")
# (Incident)-[:TRACKED_BY]->(Ticket)
TRACKED_BY = Relation("Incident", "TRACKED_BY", "Ticket", "the ticket follows the incident", owned=True)

_TOPOLOGY_WORDS = {
    RelationKind.RUNS_ON: "runs on",
    RelationKind.PART_OF: "is a part of",
    RelationKind.MEMBER_OF: "is a member of",
    RelationKind.IN_ZONE: "stands in",
    RelationKind.DEPENDS_ON: "needs",
}
# (Entity)-[:RUNS_ON|PART_OF|MEMBER_OF|IN_ZONE|DEPENDS_ON]->(Entity)
TOPOLOGY = tuple(
    Relation("Entity", kind.value, "Entity", f"the first entity {_TOPOLOGY_WORDS[kind]} the second")
    for kind in RelationKind
)

RELATIONS = (
    *(ALERT_OF, ALERT_ON, AFFECTS, SHOWED, SUPPORTS, CONTRADICTS, RANKED),
    *(CONFIRMED_AS, REJECTED, SIMILAR_TO, TOUCHED, TRACKED_BY, *TOPOLOGY),
)
OWNED = tuple(relation for relation in RELATIONS if relation.owned)
