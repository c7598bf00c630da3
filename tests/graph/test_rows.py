"""What the writer refuses before anything is sent, and what a snapshot becomes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Malformed
from graph import cypher, schema
from graph.project import entity_of, epoch_ms, project
from graph.rows import checked_node, checked_relation
from graph.schema import Kind, Node, Property
from graph.store import statements
from tests.graph.snapshots import MEMBERS, START, alert, finding, judged, plain, whole

EVERY = Node("Every", "", "", tuple(Property(kind.name.lower(), kind, "") for kind in Kind))


class Word(StrEnum):
    ONE = "one"


@pytest.mark.parametrize("key", [None, "", 7, b"x"])
def test_an_empty_or_wrong_key_is_refused(key: Any) -> None:
    with pytest.raises(Malformed, match="a key must be a text"):
        checked_node(EVERY, {"id": key})
    with pytest.raises(Malformed, match="a key must be a text"):
        checked_relation(schema.AFFECTS, {"start": "a", "end": key})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("string", 1),
        ("string", datetime(2026, 1, 1, tzinfo=UTC)),
        ("string", {"nested": "map"}),
        ("integer", "1"),
        ("integer", True),
        ("integer", 1.0),
        ("integer", 2**63),
        ("integer", datetime(2026, 1, 1, tzinfo=UTC)),
        ("integer", timedelta(1)),
        ("float", "1"),
        ("float", True),
        ("boolean", 1),
        ("strings", "text"),
        ("strings", ["a", 1]),
        ("strings", ["a", None]),
        ("floats", [1.0, "a"]),
        ("floats", [datetime(2026, 1, 1, tzinfo=UTC)]),
        ("unknown", "x"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        checked_node(EVERY, {"id": "x", name: value})
    assert caught.value.field == f"Every.{name}"


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("string", Word.ONE, "one"),
        ("float", 1, 1.0),
        ("floats", (1, 2.5), [1.0, 2.5]),
        ("strings", ("a", Word.ONE), ["a", "one"]),
        ("integer", -(2**63), -(2**63)),
        ("boolean", False, False),
        ("string", None, None),
    ],
)
def test_a_right_value_is_sent_in_its_plain_type(name: str, value: Any, sent: Any) -> None:
    row = checked_node(EVERY, {"id": "x", name: value})
    assert row[name] == sent
    assert type(row[name]) is type(sent)
    assert set(row) == {"id", *(p.name for p in EVERY.properties)}


@given(st.integers(-10_000_000, 10_000_000), st.integers(-12, 14))
def test_a_time_is_the_same_instant_in_every_zone(seconds: int, hours: int) -> None:
    at = START + timedelta(seconds=seconds)
    assert epoch_ms(at) == epoch_ms(at.astimezone(timezone(timedelta(hours=hours))))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Malformed, match="must have a zone"):
        project([plain("one", started_at=datetime(2026, 1, 1))])  # noqa: DTZ001


@pytest.mark.parametrize("key", ["Pod/only-two", "Planet/a/b/c", ""])
def test_a_key_that_names_no_entity_is_refused(key: str) -> None:
    with pytest.raises(Malformed, match="kind/cluster/namespace/name"):
        entity_of(key)


def test_an_entity_s_key_survives_slashes_in_its_name() -> None:
    entity = replace(MEMBERS[0], name="a/b/c")
    assert entity_of(entity.key) == entity


def test_the_same_snapshots_give_the_same_statements() -> None:
    assert list(statements(project(whole()), {})) == list(statements(project(whole()), {}))


def test_only_stored_relations_that_no_longer_hold_are_removed() -> None:
    rows = project([plain("one"), plain("two")])
    kept = rows.keep[schema.AFFECTS.arrow]["one"]
    stored = {("one", "AFFECTS"): {*kept, "Pod/gone/gone/gone"}, ("two", "AFFECTS"): set(kept)}
    removed = [(query, values) for query, values in statements(rows, stored) if query.name.startswith("prune")]
    assert removed == [(cypher.PRUNE[schema.AFFECTS.arrow], {"rows": [{"id": "one", "keep": sorted(kept)}]})]


def test_every_label_and_relation_of_the_schema_is_written_by_some_snapshot() -> None:
    rows = project(whole())
    assert {label for label, _ in rows.nodes} == {node.label for node in schema.NODES}
    assert {second for label, second in rows.nodes if label == "Entity"} == set(schema.ENTITY.second_labels)
    assert set(rows.relations) == {relation.arrow for relation in schema.RELATIONS}


def test_an_unknown_finding_is_not_remembered() -> None:
    rows = project([plain("one", findings=(finding("etcd-space-alarm", None),))])
    assert ("Finding", "") not in rows.nodes


def test_a_rejected_cause_leaves_the_profile_and_a_confirmed_one_takes_it_over() -> None:
    rejected = project([judged("one", rejected=("cross-az-network-jitter",))])
    assert rejected.nodes["Incident", ""]["one"]["causes"] == ["etcd-slow-disk"]
    confirmed = project([whole()[0]]).nodes["Incident", ""]["first"]
    assert (confirmed["causes"], confirmed["probabilities"]) == (["etcd-slow-disk"], [1.0])


def test_an_alert_on_several_entities_hangs_on_each() -> None:
    rows = project([plain("one", alerts=(alert("one", *MEMBERS),))])
    assert len(rows.relations[schema.ALERT_ON.arrow]) == 3


def test_every_property_of_the_schema_has_a_description() -> None:
    for owner in (*schema.NODES, *schema.RELATIONS):
        assert owner.description
        assert all(p.description for p in owner.properties)
        assert len({p.name for p in owner.properties}) == len(owner.properties)
