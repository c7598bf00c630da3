"""All named queries of the graph, in the one dialect that Neo4j 5 and the embedded server share.

Not in this dialect (the embedded server answers wrongly or not at all): APOC, vector and full-text
indexes, `id()`, temporal values, an aggregate inside a map projection, `SHORTEST n`.
"""

from graph import cypher, schema
from graph.cypher import Mode, Query

_CANDIDATE = ("id", "hits", "started_ms")

SERVER = Query(
    "server",
    Mode.READ,
    "CALL dbms.components() YIELD name, versions, edition RETURN name, versions[0] AS version, edition",
    (),
    ("name", "version", "edition"),
)

BY_CONFIRMED = Query(
    "candidates by confirmed cause",
    Mode.READ,
    """MATCH (c:Cause)<-[:CONFIRMED_AS]-(i:Incident)
WHERE c.id IN $causes AND i.id <> $incident AND i.started_ms <= $before_ms
RETURN i.id AS id, count(c) AS hits, i.started_ms AS started_ms
ORDER BY hits DESC, started_ms DESC, id LIMIT $limit""",
    ("causes", "incident", "before_ms", "limit"),
    _CANDIDATE,
)

BY_RANKED = Query(
    "candidates by first ranked cause",
    Mode.READ,
    """MATCH (c:Cause)<-[r:RANKED]-(i:Incident)
WHERE c.id IN $causes AND r.position = 1 AND i.id <> $incident AND i.started_ms <= $before_ms
RETURN i.id AS id, count(c) AS hits, i.started_ms AS started_ms
ORDER BY hits DESC, started_ms DESC, id LIMIT $limit""",
    ("causes", "incident", "before_ms", "limit"),
    _CANDIDATE,
)

BY_FINDING = Query(
    "candidates by finding",
    Mode.READ,
    """MATCH (f:Finding)<-[:SHOWED]-(i:Incident)
WHERE f.id IN $findings AND i.id <> $incident AND i.started_ms <= $before_ms
RETURN i.id AS id, count(f) AS hits, i.started_ms AS started_ms
ORDER BY hits DESC, started_ms DESC, id LIMIT $limit""",
    ("findings", "incident", "before_ms", "limit"),
    _CANDIDATE,
)

BY_ENTITY = Query(
    "candidates by entity",
    Mode.READ,
    """MATCH (e:Entity)<-[:AFFECTS]-(i:Incident)
WHERE e.id IN $entities AND i.id <> $incident AND i.started_ms <= $before_ms
RETURN i.id AS id, count(e) AS hits, i.started_ms AS started_ms
ORDER BY hits DESC, started_ms DESC, id LIMIT $limit""",
    ("entities", "incident", "before_ms", "limit"),
    _CANDIDATE,
)

NEIGHBOURS = Query(
    "entities next to these",
    Mode.READ,
    """MATCH (e:Entity)-[:RUNS_ON|PART_OF|MEMBER_OF|DEPENDS_ON]-(n:Entity)
WHERE e.id IN $entities
RETURN DISTINCT n.id AS id ORDER BY id LIMIT $limit""",
    ("entities", "limit"),
    ("id",),
)

PROFILES = Query(
    "profiles of incidents",
    Mode.READ,
    """MATCH (i:Incident) WHERE i.id IN $ids
RETURN i.id AS id, i.title AS title, i.started_ms AS started_ms, i.resolved_ms AS resolved_ms,
i.causes AS causes, i.probabilities AS probabilities, i.confirmed AS confirmed, i.fixed_by AS fixed_by,
i.findings AS findings, i.entities AS entities, i.alerts AS alerts, i.url AS url,
i.recurrence_of AS recurrence_of ORDER BY id""",
    ("ids",),
    (
        *("id", "title", "started_ms", "resolved_ms", "causes", "probabilities", "confirmed", "fixed_by"),
        *("findings", "entities", "alerts", "url", "recurrence_of"),
    ),
)


# Thousands of incidents share a finding or a cause: from these the picture follows only the few informative relations.
_FOLLOWED = {"Finding": ":SUPPORTS|CONTRADICTS", "Cause": ":SUPPORTS|CONTRADICTS|CONFIRMED_AS"}


def _around(node: schema.Node) -> Query:
    """The relations of nodes of one label, in both directions, with the nodes at their other ends."""
    followed = _FOLLOWED.get(node.label, "")
    return Query(
        f"around {node.label}",
        Mode.READ,
        # Cut before the properties are read: there may be many more lines than are drawn.
        f"""MATCH (a:{node.label})-[r{followed}]-(b) WHERE a.id IN $ids
WITH a, r, b ORDER BY a.id, type(r), b.id, startNode(r).id LIMIT $limit
RETURN a.id AS id, type(r) AS kind, startNode(r).id = a.id AS outward, properties(r) AS relation,
b.id AS other, labels(b) AS labels, properties(b) AS properties
ORDER BY id, kind, other, outward""",
        ("ids", "limit"),
        ("id", "kind", "outward", "relation", "other", "labels", "properties"),
    )


AROUND = {node.label: _around(node) for node in schema.NODES}

ONE_INCIDENT = Query(
    "one incident",
    Mode.READ,
    "MATCH (i:Incident {id: $incident}) RETURN properties(i) AS properties",
    ("incident",),
    ("properties",),
)

COUNT_NODES = {
    node.label: Query(f"count {node.label}", Mode.READ, f"MATCH (n:{node.label}) RETURN count(n) AS n", (), ("n",))
    for node in schema.NODES
}

COUNT_RELATIONS = {
    relation.arrow: Query(
        f"count {relation.arrow}",
        Mode.READ,
        f"MATCH (:{relation.start})-[r:{relation.kind}]->(:{relation.end}) RETURN count(r) AS n",
        (),
        ("n",),
    )
    for relation in schema.RELATIONS
}

FORGET_ALERTS = Query(
    "forget an incident's alerts",
    Mode.WRITE,
    "MATCH (a:Alert)-[:PART_OF]->(:Incident {id: $incident}) DETACH DELETE a",
    ("incident",),
)

FORGET_INCIDENT = Query(
    "forget an incident",
    Mode.WRITE,
    "MATCH (i:Incident {id: $incident}) DETACH DELETE i",
    ("incident",),
)

CLEAR = {
    node.label: Query(
        f"clear {node.label}",
        Mode.WRITE,
        f"MATCH (n:{node.label}) WITH n LIMIT $limit DETACH DELETE n RETURN count(n) AS n",
        ("limit",),
        ("n",),
    )
    for node in schema.NODES
}

READS = (
    *(
        SERVER,
        BY_CONFIRMED,
        BY_RANKED,
        BY_FINDING,
        BY_ENTITY,
        NEIGHBOURS,
        PROFILES,
        ONE_INCIDENT,
        cypher.STORED_RELATIONS,
    ),
    *(*AROUND.values(), *COUNT_NODES.values(), *COUNT_RELATIONS.values()),
)
WRITES = (
    *(*cypher.MERGE_NODE.values(), *cypher.MERGE_RELATION.values(), *cypher.PRUNE.values()),
    *(FORGET_ALERTS, FORGET_INCIDENT, *CLEAR.values()),
)
ALL = (*cypher.CONSTRAINTS, *cypher.INDEXES, *READS, *WRITES)
