"""The store's manners: retries, forks, one writer at a time, and errors that say what to do."""

import multiprocessing
import threading
from pathlib import Path

import pytest
from neo4j.exceptions import ConstraintError

from domain.errors import Malformed, Refused, Unreachable
from graph.engine import GraphAddress, free_ports
from graph.store import GraphStore, open_graph, repeated
from tests.graph.servers import embedded, prepared, store
from tests.graph.snapshots import judged, plain, whole

__all__ = ["embedded", "prepared", "store"]


def test_a_lost_race_for_a_new_node_is_run_again() -> None:
    tries: list[int] = []

    def unit() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ConstraintError
        return "done"

    assert repeated(unit) == "done"
    assert len(tries) == 3


def test_a_unit_that_always_collides_gives_up() -> None:
    def unit() -> None:
        raise ConstraintError

    with pytest.raises(ConstraintError):
        repeated(unit)


def test_a_silent_address_is_unreachable_and_named() -> None:
    port, _ = free_ports()
    store = open_graph(f"bolt://127.0.0.1:{port}", "root", "x")
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} does not answer"):
        store.ping()
    with pytest.raises(Unreachable):
        store.remember([plain("one")])


def test_a_wrong_password_is_refused_without_saying_it(embedded: GraphAddress) -> None:
    store = open_graph(embedded.uri, embedded.user, "not-this-one")
    with pytest.raises(Refused, match="refuses user or password") as caught:
        store.ping()
    assert "not-this-one" not in str(caught.value)


def test_a_malformed_uri_is_an_expected_error() -> None:
    with pytest.raises((Refused, Unreachable)):
        open_graph("ftp://somewhere", "a", "b").ping()


def test_nothing_is_sent_when_one_snapshot_of_many_is_wrong(store: GraphStore) -> None:
    with pytest.raises(Malformed):
        store.remember([plain("one"), plain("")])
    assert store.counts()["Incident"] == 0


def test_a_store_used_before_a_fork_works_in_the_child(store: GraphStore) -> None:
    store.remember([plain("one")])
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child() -> None:
        store.remember([plain("two")])
        answers.put(store.counts()["Incident"])

    process = context.Process(target=child)
    process.start()
    process.join(60)
    assert answers.get() == 2
    assert store.counts()["Incident"] == 2


def test_many_writers_at_once_lose_nothing(store: GraphStore, embedded: GraphAddress) -> None:
    failed: list[Exception] = []

    def write(worker: int) -> None:
        own = open_graph(embedded.uri, embedded.user, embedded.password)
        try:
            for number in range(10):
                own.remember([judged(f"{worker}-{number}")])
        except (Refused, Unreachable) as error:
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert store.counts()["Incident"] == 40
    assert store.counts()["Cause"] == 2


def test_the_order_of_writing_does_not_matter_to_incidents(store: GraphStore) -> None:
    first, second = whole()
    store.remember([first, second])
    together = store.counts()
    store.clear()
    store.remember([first])
    store.remember([second])
    assert store.counts() == together


def test_the_write_lock_may_be_named(store: GraphStore, embedded: GraphAddress, tmp_path: Path) -> None:
    lock = tmp_path / "write.lock"
    named = open_graph(embedded.uri, embedded.user, embedded.password, lock)
    named.remember([plain("one")])
    named.close()
    assert lock.exists()
