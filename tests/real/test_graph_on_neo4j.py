"""The graph's contract on a real Neo4j 5: the same queries, rows and columns as on the embedded server."""

from collections.abc import Iterator

import pytest

from graph.engine import GraphAddress
from graph.store import GraphStore, open_graph
from tests.contracts.test_graph_contract import GraphContract, ask
from tests.real.neo4j_server import neo4j_address

__all__ = ["ask", "neo4j_address"]
pytestmark = pytest.mark.real


@pytest.fixture
def address(neo4j_address: GraphAddress) -> GraphAddress:
    return neo4j_address


@pytest.fixture
def store(address: GraphAddress) -> Iterator[GraphStore]:
    opened = open_graph(address.uri, address.user, address.password)
    opened.ensure_schema()
    opened.clear()
    yield opened
    opened.close()


class TestOnNeo4j(GraphContract):
    """The server of production."""
