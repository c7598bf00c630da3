"""What every graph server must answer: each named query, its rows and its columns, on fixture data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import neo4j
import pytest
from neo4j.exceptions import ClientError

from graph import cypher, queries, schema
from graph.cypher import Mode, Query
from graph.engine import GraphAddress
from graph.store import GraphStore, open_graph
from tests.graph.servers import embedded, prepared, store
from tests.graph.snapshots import ETCD, MEMBERS, START, judged, plain, relations, whole

__all__ = ["embedded", "prepared", "store"]  # fixtures, for the tests below

T0 = int(START.timestamp() * 1000)
HOUR = 3_600_000
LATE = T0 + 10 * HOUR
SECOND = "second"
FIRST = {"id": "first", "hits": 1, "started_ms": T0}
ALSO = {"id": "second", "hits": 1, "started_ms": T0 + HOUR}
JITTER, DISK = "cross-az-network-jitter", "etcd-slow-disk"
WHO = {"incident": "asking", "before_ms": LATE, "limit": 5}

READS: list[tuple[Query, dict[str, Any], list[dict[str, Any]]]] = [
    (queries.BY_CONFIRMED, {"causes": [DISK], **WHO}, [FIRST]),
    (queries.BY_CONFIRMED, {"causes": [DISK], **WHO, "incident": "first"}, []),
    (queries.BY_CONFIRMED, {"causes": [DISK], **WHO, "before_ms": T0 - 1}, []),
    (queries.BY_RANKED, {"causes": [JITTER], **WHO}, [ALSO, FIRST]),
    (queries.BY_RANKED, {"causes": [DISK], **WHO}, []),
    (queries.BY_FINDING, {"findings": ["etcd-leader-switch:yes"], **WHO}, [ALSO, FIRST]),
    (queries.BY_FINDING, {"findings": ["etcd-leader-switch:yes"], **WHO, "limit": 1}, [ALSO]),
    (queries.BY_FINDING, {"findings": ["etcd-leader-switch:no"], **WHO}, []),
    (queries.BY_ENTITY, {"entities": [MEMBERS[0].key], **WHO}, [ALSO, FIRST]),
    (queries.BY_ENTITY, {"entities": ["Pod/prod/shop/a-pod"], **WHO}, [ALSO]),
    (queries.NEIGHBOURS, {"entities": [MEMBERS[1].key], "limit": 5}, [{"id": ETCD.key}]),
    (
        queries.NEIGHBOURS,
        {"entities": [ETCD.key], "limit": 5},
        [{"id": member.key} for member in MEMBERS],
    ),
]

NODE_COUNTS = {
    **{"Incident": 2, "Alert": 2, "Entity": 17, "Finding": 2, "Cause": 2, "Change": 1, "Ticket": 1},
}
RELATION_COUNTS = {
    schema.ALERT_OF: 2,
    schema.ALERT_ON: 2,
    schema.AFFECTS: 13,
    schema.SHOWED: 4,
    schema.SUPPORTS: 2,
    schema.CONTRADICTS: 1,
    schema.RANKED: 4,
    schema.CONFIRMED_AS: 1,
    schema.REJECTED: 1,
    schema.SIMILAR_TO: 1,
    schema.TOUCHED: 1,
    schema.TRACKED_BY: 1,
    **dict(zip(schema.TOPOLOGY, (1, 1, 4 - 1, 2, 1), strict=True)),
}
COUNTS = {**NODE_COUNTS, **{relation.arrow: n for relation, n in RELATION_COUNTS.items()}}

Ask = Callable[..., tuple[list[str], list[dict[str, Any]]]]


@pytest.fixture
def address(embedded: GraphAddress) -> GraphAddress:
    return embedded


@pytest.fixture
def ask(address: GraphAddress) -> Ask:
    """Columns and rows of one query, past the store."""

    def asked(query: Query, **parameters: Any) -> tuple[list[str], list[dict[str, Any]]]:
        with neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver:
            result = driver.execute_query(query.text, parameters, database_="neo4j")
            return result.keys, [dict(record) for record in result.records]

    return asked


class GraphContract:
    """Taken over by one class per server, whose module gives the fixtures `store` and `address`."""

    @pytest.mark.parametrize(("query", "parameters", "expected"), READS)
    def test_a_read_answers_its_rows_and_columns(
        self, store: GraphStore, ask: Ask, query: Query, parameters: dict[str, Any], expected: Any
    ) -> None:
        store.remember(whole())
        assert set(parameters) == set(query.parameters)
        keys, rows = ask(query, **parameters)
        assert rows == expected
        # The embedded server names no columns when there are no rows; Neo4j does.
        assert tuple(keys) == (query.keys if rows else tuple(keys))

    def test_every_named_query_is_exercised_here(self) -> None:
        tried = {
            *(query.name for query, _, _ in READS),
            *(query.name for query in (*cypher.CONSTRAINTS, *cypher.INDEXES)),
            *(query.name for query in cypher.MERGE_NODE.values()),
            *(query.name for query in cypher.MERGE_RELATION.values()),
            *(query.name for query in cypher.PRUNE.values()),
            *(query.name for query in queries.CLEAR.values()),
            *(query.name for query in queries.AROUND.values()),
            *(query.name for query in queries.COUNT_NODES.values()),
            *(query.name for query in queries.COUNT_RELATIONS.values()),
            *(
                query.name
                for query in (queries.SERVER, queries.PROFILES, queries.ONE_INCIDENT, cypher.STORED_RELATIONS)
            ),
            *(query.name for query in (queries.FORGET_ALERTS, queries.FORGET_INCIDENT)),
        }
        assert tried == {query.name for query in queries.ALL}

    def test_the_server_names_itself(self, store: GraphStore, ask: Ask) -> None:
        keys, rows = ask(queries.SERVER)
        assert tuple(keys) == queries.SERVER.keys
        assert rows[0]["version"].startswith("5.26.")
        assert store.ping().startswith("Neo4j Kernel 5.26.")

    def test_the_schema_may_be_made_twice(self, store: GraphStore, ask: Ask) -> None:
        store.ensure_schema()
        store.ensure_schema()
        for query in (*cypher.CONSTRAINTS, *cypher.INDEXES):
            assert ask(query) == ([], [])

    def test_each_label_and_relation_is_counted(self, store: GraphStore, ask: Ask) -> None:
        store.remember(whole())
        assert store.counts() == COUNTS
        for query in (*queries.COUNT_NODES.values(), *queries.COUNT_RELATIONS.values()):
            assert tuple(ask(query)[0]) == query.keys

    def test_writing_twice_changes_nothing(self, store: GraphStore) -> None:
        store.remember(whole())
        before = _everything(store)
        store.remember(whole())
        assert _everything(store) == before

    def test_each_write_answers_no_columns_and_takes_no_rows_too(self, store: GraphStore, ask: Ask) -> None:
        merges = (*cypher.MERGE_NODE.values(), *cypher.MERGE_RELATION.values(), *cypher.PRUNE.values())
        for query in merges:
            assert ask(query, rows=[]) == ([], [])
        assert set(store.counts().values()) == {0}

    def test_a_relation_to_what_is_not_there_is_left_out(self, store: GraphStore, ask: Ask) -> None:
        for relation in schema.RELATIONS:
            ask(cypher.MERGE_RELATION[relation.arrow], rows=[{"start": "a", "end": "b"}])
        assert set(store.counts().values()) == {0}

    def test_profiles_hold_what_was_written(self, store: GraphStore, ask: Ask) -> None:
        store.remember(whole())
        keys, rows = ask(queries.PROFILES, ids=["first"])
        assert tuple(keys) == queries.PROFILES.keys
        assert rows == [
            {
                "id": "first",
                "title": "Incident first",
                "started_ms": T0,
                "resolved_ms": T0 + 750_000,
                "causes": [DISK],
                "probabilities": [1.0],
                "confirmed": True,
                "fixed_by": "new disk",
                "findings": ["etcd-fsync-one-slow:no", "etcd-leader-switch:yes"],
                "entities": [MEMBERS[0].key],
                "alerts": ["EtcdLeaderChanges"],
                "url": "/incidents/first/",
                "recurrence_of": "",
            }
        ]

    def test_stored_relations_of_an_incident_have_their_kind_and_end(self, store: GraphStore, ask: Ask) -> None:
        store.remember([plain("one"), *whole()])
        keys, rows = ask(cypher.STORED_RELATIONS, incidents=["first", "nobody"])
        assert tuple(keys) == cypher.STORED_RELATIONS.keys
        assert {row["incident"] for row in rows} == {"first"}
        owned = {relation.kind for relation in schema.OWNED}
        around = store.read(queries.AROUND["Incident"], ids=["first"], limit=99)
        assert sorted(row["kind"] for row in rows) == sorted(
            row["kind"] for row in around if row["kind"] in owned and row["outward"]
        )
        assert ("CONFIRMED_AS", DISK) in {(row["kind"], row["end"]) for row in rows}

    def test_an_absent_value_removes_the_property(self, store: GraphStore, ask: Ask) -> None:
        store.remember([plain("one")])
        store.remember([plain("one", resolved_at=None, state="open")])
        keys, rows = ask(queries.ONE_INCIDENT, incident="one")
        assert tuple(keys) == queries.ONE_INCIDENT.keys
        assert "resolved_ms" not in rows[0]["properties"]
        assert rows[0]["properties"]["state"] == "open"

    @pytest.mark.parametrize(
        ("label", "id_", "kinds"),
        [
            (
                "Incident",
                "first",
                ["AFFECTS", "CONFIRMED_AS", "PART_OF", "RANKED", "RANKED", "SHOWED", "SHOWED", "SIMILAR_TO"],
            ),
            ("Alert", "alert-first", ["ON", "PART_OF"]),
            ("Entity", MEMBERS[1].key, ["MEMBER_OF"]),
            ("Finding", "etcd-leader-switch:yes", ["SUPPORTS"]),
            ("Cause", DISK, ["CONFIRMED_AS", "CONTRADICTS"]),
            ("Change", "c1", ["TOUCHED"]),
            ("Ticket", "OPS-1", ["TRACKED_BY"]),
        ],
    )
    def test_around_returns_each_relation_with_its_direction(
        self, store: GraphStore, ask: Ask, label: str, id_: str, kinds: list[str]
    ) -> None:
        store.remember(whole())
        query = queries.AROUND[label]
        keys, rows = ask(query, ids=[id_], limit=50)
        assert tuple(keys) == query.keys
        assert [row["kind"] for row in rows] == kinds
        starts = {r.kind for r in schema.RELATIONS if r.start == label}
        ends = {r.kind for r in schema.RELATIONS if r.end == label}
        assert all(row["kind"] in (starts if row["outward"] else ends) for row in rows)
        assert all(len(set(row["labels"]) & set(schema.NODE_OF)) == 1 for row in rows)

    def test_an_entity_carries_both_labels(self, store: GraphStore, ask: Ask) -> None:
        store.remember([plain("one")])
        rows = ask(queries.AROUND["Incident"], ids=["one"], limit=9)[1]
        (affected,) = [row for row in rows if row["kind"] == "AFFECTS"]
        assert set(affected["labels"]) == {"Entity", "EtcdMember"}
        assert affected["properties"] == {
            **{"id": MEMBERS[0].key, "name": "etcd-0", "cluster": "prod", "namespace": ""}
        }

    def test_a_relation_keeps_its_values(self, store: GraphStore, ask: Ask) -> None:
        store.remember(whole())
        rows = ask(queries.AROUND["Incident"], ids=["first"], limit=50)[1]
        relations = {(row["kind"], row["other"]): row["relation"] for row in rows}
        assert relations["RANKED", JITTER] == {"position": 1, "probability": 0.8, "revision": 1}
        assert relations["CONFIRMED_AS", DISK] == {"by": "ann", "at_ms": T0, "fixed_by": "new disk"}
        assert relations["SIMILAR_TO", "second"] == {"score": 0.5, "why": ["same"], "why_zh": ["相同"]}
        shown = relations["SHOWED", "etcd-leader-switch:yes"]
        assert (shown["value"], shown["limit"], shown["unit"]) == (1.0, 0.15, "s")

    def test_relations_that_a_newer_revision_does_not_have_are_removed(self, store: GraphStore) -> None:
        store.remember(whole())
        store.remember([plain("second", 60)])
        after = store.counts()
        assert after[schema.RANKED.arrow] == 2
        assert after[schema.SHOWED.arrow] == 2
        assert after[schema.AFFECTS.arrow] == 2
        assert after[schema.TRACKED_BY.arrow] == after[schema.REJECTED.arrow] == 0
        assert after[schema.SIMILAR_TO.arrow] == 0
        assert after[schema.CONFIRMED_AS.arrow] == 1
        assert after[schema.ALERT_OF.arrow] == 2

    def test_a_cause_named_by_a_person_does_not_lose_its_title(self, store: GraphStore, ask: Ask) -> None:
        store.remember([judged("one")])
        store.remember([plain("two", rejected=(DISK,))])
        rows = ask(queries.AROUND["Incident"], ids=["two"], limit=9)[1]
        (rejected,) = [row for row in rows if row["kind"] == "REJECTED"]
        assert rejected["properties"]["layer"] == "network"
        assert rejected["properties"]["title"] == DISK

    def test_forgetting_leaves_what_others_share(self, store: GraphStore, ask: Ask) -> None:
        store.remember(whole())
        store.forget("second")
        assert store.counts() == {
            **COUNTS,
            **{"Incident": 1, "Alert": 1},
            **{r.arrow: 1 for r in (schema.ALERT_OF, schema.ALERT_ON, schema.AFFECTS)},
            **{r.arrow: 2 for r in (schema.SHOWED, schema.RANKED)},
            **{r.arrow: 0 for r in (schema.REJECTED, schema.SIMILAR_TO, schema.TRACKED_BY)},
        }
        assert ask(queries.FORGET_ALERTS, incident="none") == ([], [])
        assert ask(queries.FORGET_INCIDENT, incident="none") == ([], [])

    def test_an_incident_that_was_merged_is_removed_and_its_alerts_are_the_other_ones(
        self, store: GraphStore, ask: Ask
    ) -> None:
        first, second = plain("first"), plain("second", 1)
        store.remember([first, second])
        both = replace(first, alerts=(*first.alerts, *second.alerts))
        for merged in ([replace(second, merged_into=1, alerts=())], [both]), ([both, replace(second, merged_into=1)],):
            for batch in merged:
                store.remember(batch)
            assert [store.counts()[name] for name in ("Incident", "Alert", schema.ALERT_OF.arrow)] == [1, 2, 2]
            store.remember([first, second])

    def test_clearing_removes_everything_and_counts_what_went(self, store: GraphStore, ask: Ask) -> None:
        store.remember(whole())
        keys, rows = ask(queries.CLEAR["Entity"], limit=3)
        assert (tuple(keys), rows) == (queries.CLEAR["Entity"].keys, [{"n": 3}])
        store.clear()
        assert set(store.counts().values()) == {0}

    def test_a_key_is_unique(self, store: GraphStore, address: GraphAddress) -> None:
        store.remember([plain("one")])
        with (
            neo4j.GraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver,
            pytest.raises(ClientError),
        ):
            driver.execute_query("CREATE (:Entity:EtcdMember {id: $id})", id=MEMBERS[0].key)

    def test_the_picture_is_the_same_twice_and_bounded(self, store: GraphStore) -> None:
        store.remember(whole())
        picture = store.neighbourhood("second", 2)
        assert picture == store.neighbourhood("second", 2)
        assert picture.nodes[0].name == "Incident:second"
        assert {node.steps for node in picture.nodes} == {0, 1, 2}
        assert store.neighbourhood("none", 2).nodes == ()

    def test_similar_incidents_come_with_their_reasons(self, store: GraphStore) -> None:
        store.remember(whole())
        found = store.similar(judged("third", 90, relations=relations()))
        assert [one.incident for one in found] == ["second", "first"]
        # causes 0.35 x 0.8 or x 0.1, findings 0.30, entities 0.15, alerts 0.12, no neighbour in common.
        assert [one.score for one in found] == [0.85, 0.605]
        assert all(one.why for one in found)


class TestOnTheEmbeddedServer(GraphContract):
    """The server that is there by default."""


def _everything(store: GraphStore) -> Any:
    around = [store.read(queries.AROUND[label], ids=["first", SECOND], limit=99) for label in schema.NODE_OF]
    return store.counts(), around, store.read(queries.PROFILES, ids=["first", SECOND])


def test_a_read_query_is_not_run_as_a_write(prepared: GraphStore) -> None:
    with pytest.raises(ValueError, match="declared write"):
        prepared.read(queries.FORGET_INCIDENT, incident="x")


@pytest.mark.parametrize("query", queries.ALL, ids=lambda query: query.name)
def test_a_query_s_mode_matches_its_text(query: Query) -> None:
    words = set(query.text.replace("(", " ").split())
    writes = words & {"CREATE", "MERGE", "SET", "DELETE", "REMOVE", "DROP", "DETACH"}
    assert (query.mode is Mode.READ) == (not writes)
    assert (query.mode is Mode.SCHEMA) == ("CONSTRAINT" in words or "INDEX" in words)


def test_the_store_opens_with_three_values(address: GraphAddress) -> None:
    store = open_graph(address.uri, address.user, address.password)
    assert store.ping()
    store.close()
