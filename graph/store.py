"""Reads and writes the graph; writes are batched and idempotent. Only this module uses the neo4j driver."""

import fcntl
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
    TransientError,
)

from domain.errors import Refused, Unreachable
from domain.similar import SimilarIncident
from domain.snapshot import IncidentSnapshot
from domain.text import Text
from graph import cypher, queries, schema
from graph.cypher import Query
from graph.neighbourhood import Neighbourhood, neighbourhood
from graph.project import project
from graph.rows import Row, Rows
from graph.similar import similar

DATABASE = "neo4j"
# How many incidents one transaction writes at most: long transactions conflict more often on the embedded server.
INCIDENTS_PER_TRANSACTION = 50
_ROWS_PER_STATEMENT = 500
_CLEAR_LIMIT = 500
_REPEATS = 8
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

T = TypeVar("T")
Rows_ = list[dict[str, Any]]
# The ends of stored relations, by incident and kind of relation.
StoredRelations = dict[tuple[str, str], set[str]]


class GraphStore:
    """The graph at one address. It may be made before a fork, as each process connects at its first use."""

    def __init__(self, uri: str, user: str, password: str, write_lock: Path | None = None) -> None:
        self._uri = uri
        self._auth = (user, password)
        self._write_lock = write_lock or _lock_for(uri)
        self._driver: neo4j.Driver | None = None
        self._driver_pid = 0

    def ensure_schema(self) -> None:
        """Make the constraints and indexes that are missing."""
        with self._writing(), _translated(self._uri), self._session() as session:
            for query in (*cypher.CONSTRAINTS, *cypher.INDEXES):
                session.run(query.text).consume()

    def remember(self, snapshots: Sequence[IncidentSnapshot]) -> None:
        """Write these incidents as they are now; relations of an earlier revision that no longer hold are removed.

        One that was merged into another is removed; its alerts stay, as they are the other one's.
        Raises Malformed before anything is sent, Unreachable, Refused.
        """
        own = [snapshot for snapshot in snapshots if not snapshot.merged_into]
        batches = [
            project(own[at : at + INCIDENTS_PER_TRANSACTION]) for at in range(0, len(own), INCIDENTS_PER_TRANSACTION)
        ]
        merged = [snapshot.id for snapshot in snapshots if snapshot.merged_into]
        if merged:
            self._write([(queries.FORGET_INCIDENT, {"incident": id_}) for id_ in merged])
        for batch in batches:
            self._in_one(partial(_written, batch))

    def similar(
        self, snapshot: IncidentSnapshot, limit: int = 17, words: Mapping[str, Text] | None = None
    ) -> tuple[SimilarIncident, ...]:
        """The most similar incidents that began no later than this one, best first, with reasons.

        `words` are the names of causes and measures in the reasons, by slug.
        """
        return similar(self.read, snapshot, limit, words or {})

    def neighbourhood(self, incident_id: str, depth: int = 2) -> Neighbourhood:
        """The nodes within `depth` (1 to 3) steps of an incident; empty if the graph does not have it."""
        return neighbourhood(self.read, incident_id, depth)

    def forget(self, incident_id: str) -> None:
        """Remove an incident with its alerts; nodes that other incidents share stay."""
        values = {"incident": incident_id}
        self._write([(queries.FORGET_ALERTS, values), (queries.FORGET_INCIDENT, values)])

    def clear(self) -> None:
        """Remove every node and relation, before a rebuild from the record."""
        for query in queries.CLEAR.values():
            while self._write([(query, {"limit": _CLEAR_LIMIT})])[0]["n"] > 0:
                pass

    def counts(self) -> dict[str, int]:
        """How many nodes per label and relations per arrow there are."""
        named = {**queries.COUNT_NODES, **queries.COUNT_RELATIONS}
        return {name: self.read(query)[0]["n"] for name, query in named.items()}

    def ping(self) -> str:
        """Name, version and edition of the server that answers. Raises Unreachable or Refused."""
        row = self.read(queries.SERVER)[0]
        return f"{row['name']} {row['version']} {row['edition']}"

    def read(self, query: Query, **parameters: Any) -> Rows_:
        """The rows of a READ query."""
        _expect(query, cypher.Mode.READ)
        with _translated(self._uri), self._session() as session:
            return session.execute_read(_run_one, query, parameters)

    def close(self) -> None:
        """Drop the connection; the next use makes a new one."""
        if self._driver is not None and self._driver_pid == os.getpid():
            self._driver.close()
        self._driver = None

    def _write(self, statements: list[tuple[Query, dict[str, Any]]]) -> Rows_:
        """All statements in one transaction; the rows of the last one."""
        return self._in_one(lambda tx: _run_all(tx, statements))

    def _in_one(self, work: Callable[[neo4j.ManagedTransaction], Rows_]) -> Rows_:
        """Run the work in one write transaction; it may be run several times."""
        with self._writing(), _translated(self._uri), self._session() as session:
            return repeated(lambda: session.execute_write(work))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the write lock, if there is one: the embedded server's page conflicts starve concurrent writers."""
        if self._write_lock is None:
            yield
            return
        with self._write_lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _session(self) -> neo4j.Session:
        if self._driver is None or self._driver_pid != os.getpid():
            # After a fork the old driver's sockets belong to the parent, so it is dropped without closing.
            self._driver = neo4j.GraphDatabase.driver(
                self._uri,
                auth=self._auth,
                connection_timeout=5.0,
                connection_acquisition_timeout=10.0,
                max_transaction_retry_time=20.0,
                initial_retry_delay=0.02,
                retry_delay_multiplier=1.4,
                retry_delay_jitter_factor=0.5,
                notifications_min_severity="OFF",
            )
            self._driver_pid = os.getpid()
        return self._driver.session(database=DATABASE)


def open_graph(uri: str, user: str, password: str, write_lock: Path | None = None) -> GraphStore:
    """The graph at this address, not connected yet.

    Writers to a loopback address share a file lock: `write_lock`, or one named after the port.
    """
    return GraphStore(uri, user, password, write_lock)


def statements(rows: Rows, stored: StoredRelations) -> Iterator[tuple[Query, dict[str, Any]]]:
    """The statements that write these rows: merge nodes, remove relations that no longer hold, merge relations."""
    for labels in sorted(rows.nodes):
        yield from _chunked(cypher.MERGE_NODE[labels], rows.nodes[labels].values())
    for relation in schema.OWNED:
        kept = rows.keep.get(relation.arrow, {})
        stale = (id_ for id_ in sorted(kept) if stored.get((id_, relation.kind), set()) - kept[id_])
        yield from _chunked(cypher.PRUNE[relation.arrow], [{"id": id_, "keep": sorted(kept[id_])} for id_ in stale])
    for relation in schema.RELATIONS:
        found = rows.relations.get(relation.arrow, {})
        yield from _chunked(cypher.MERGE_RELATION[relation.arrow], found.values())


def _written(rows: Rows, tx: neo4j.ManagedTransaction) -> Rows_:
    return _run_all(tx, statements(rows, _stored_relations(tx, rows)))


def _stored_relations(tx: neo4j.ManagedTransaction, rows: Rows) -> StoredRelations:
    """The relations that the graph holds of these rows' incidents."""
    incidents = sorted({id_ for kept in rows.keep.values() for id_ in kept})
    found: StoredRelations = {}
    for row in _run_one(tx, cypher.STORED_RELATIONS, {"incidents": incidents}):
        found.setdefault((row["incident"], row["kind"]), set()).add(row["end"])
    return found


def _chunked(query: Query, rows: Any) -> Iterator[tuple[Query, dict[str, Any]]]:
    everything: list[Row] = list(rows)
    for at in range(0, len(everything), _ROWS_PER_STATEMENT):
        yield query, {"rows": everything[at : at + _ROWS_PER_STATEMENT]}


def repeated(unit: Callable[[], T]) -> T:
    """Run an idempotent unit of MERGE statements, again after a ConstraintError.

    On the embedded server two writers that MERGE the same new node can get this error, which the driver does not
    retry; the second attempt finds the node.
    """
    for attempt in range(_REPEATS):
        try:
            return unit()
        except ConstraintError:
            if attempt == _REPEATS - 1:
                raise
            time.sleep(0.02 * 1.4**attempt * random.uniform(0.5, 1.5))
    raise AssertionError("unreachable")


def _expect(query: Query, mode: cypher.Mode) -> None:
    if query.mode is not mode:
        raise ValueError(f"the query {query.name!r} is declared {query.mode.value}, not {mode.value}")


def _run_one(tx: neo4j.ManagedTransaction, query: Query, parameters: dict[str, Any]) -> Rows_:
    return tx.run(query.text, parameters).data()


def _run_all(tx: neo4j.ManagedTransaction, statements: Iterable[tuple[Query, dict[str, Any]]]) -> Rows_:
    last: Rows_ = []
    for query, parameters in statements:
        _expect(query, cypher.Mode.WRITE)
        last = tx.run(query.text, parameters).data()
    return last


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    """Raise the driver's errors as Unreachable, where a retry may help, or as Refused."""
    try:
        yield
    except AuthError as error:
        raise Refused(f"The graph at {uri} refuses user or password: check GRAPH_USER.") from error
    except TransientError as error:
        raise Unreachable(f"The graph at {uri} is too busy ({error.code}): it is tried again.") from error
    except (ClientError, ConfigurationError) as error:
        raise Refused(f"The graph at {uri} refuses a statement ({_code(error)}): see its log.") from error
    except (DriverError, Neo4jError, OSError) as error:
        raise Unreachable(f"The graph at {uri} does not answer ({type(error).__name__}): is it running?") from error


def _code(error: Exception) -> str:
    return str(getattr(error, "code", None) or type(error).__name__)


def _lock_for(uri: str) -> Path | None:
    """A lock file for a server on this machine; None for one elsewhere, which is a Neo4j with locks of its own."""
    parts = urlsplit(uri)
    if parts.hostname not in _LOOPBACK:
        return None
    folder = Path(tempfile.gettempdir()) / f"incident-graph-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise Refused(f"{folder} belongs to another user: remove it, or set TMPDIR.")
    return folder / f"write-{parts.port or 7687}.lock"
