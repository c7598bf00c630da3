"""docs/graph.md says what the schema says, and its queries run."""

import re
from pathlib import Path

import neo4j
import pytest

from graph.describe import with_schema
from graph.engine import GraphAddress
from graph.similar import _WEIGHTS
from graph.store import GraphStore
from tests.graph.servers import embedded, prepared, store
from tests.graph.snapshots import ETCD, whole

__all__ = ["embedded", "prepared", "store"]

TEXT = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```cypher\n(.*?)```", TEXT, re.DOTALL)
EXPECTED = (
    [{"cause": "etcd-slow-disk", "incidents": 1, "fixes": ["new disk"]}],
    [{"entity": "EtcdMember/prod//etcd-0", "incidents": 2}],
    [
        {
            "incident": 1,
            "ranked": "cross-az-network-jitter",
            "probability": 0.8,
            "confirmed": "etcd-slow-disk",
        }
    ],
    [],
    [{"entity": f"EtcdMember/prod//etcd-{n}"} for n in range(3)],
)


def test_the_schema_in_the_docs_is_the_schema_of_the_code() -> None:
    assert with_schema(TEXT) == TEXT, "run: python -m graph.describe"


def test_the_docs_name_the_weights_of_similar() -> None:
    for part, weight in _WEIGHTS.items():
        assert f"| {part} | {weight:.2f} |" in TEXT


@pytest.mark.parametrize("number", range(5))
def test_a_query_of_the_docs_runs(store: GraphStore, embedded: GraphAddress, number: int) -> None:
    store.remember(whole())
    with neo4j.GraphDatabase.driver(embedded.uri, auth=(embedded.user, embedded.password)) as driver:
        result = driver.execute_query(QUERIES[number], entity=ETCD.key)
    assert [dict(record) for record in result.records] == EXPECTED[number]
