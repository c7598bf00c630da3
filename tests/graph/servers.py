"""One embedded graph server per test session, and a store that is emptied for each test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import ProductError
from graph.engine import EmbeddedGraph, GraphAddress
from graph.store import GraphStore, open_graph


def answers(address: GraphAddress) -> bool:
    """Whether a query gets its answer there by Bolt, as the product asks."""
    store = open_graph(address.uri, address.user, address.password)
    try:
        return bool(store.ping())
    except ProductError:
        return False
    finally:
        store.close()


@pytest.fixture(scope="session")
def embedded() -> Iterator[GraphAddress]:
    with tempfile.TemporaryDirectory(prefix="graph-") as folder:
        engine = EmbeddedGraph(Path(folder), Path(folder) / "run")
        yield engine.start()
        engine.stop()


@pytest.fixture(scope="session")
def prepared(embedded: GraphAddress) -> Iterator[GraphStore]:
    store = open_graph(embedded.uri, embedded.user, embedded.password)
    store.ensure_schema()
    yield store
    store.close()


@pytest.fixture
def store(prepared: GraphStore) -> GraphStore:
    prepared.clear()
    return prepared
