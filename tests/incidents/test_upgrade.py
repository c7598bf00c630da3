"""A record of version 0.1.0 is migrated with its rows: what waits goes on waiting, what was sent is not sent again."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ingest.watching.dedup import EventGroup
from ingest.watching.state import WatchState

ROOT = Path(__file__).parents[2]
LAST_OF_0_1 = "0014_recorded_names"
AT = "2026-03-01 12:00:00"
INCIDENT, OTHER = "0" * 31 + "1", "0" * 31 + "2"
AS_TEXT = f"{INCIDENT[:8]}-{INCIDENT[8:12]}-{INCIDENT[12:16]}-{INCIDENT[16:20]}-{INCIDENT[20:]}"
SENT = {"standing": {"judged": True, "cause": "etcd-slow-disk"}, "dry_run": False}
GROUP = {
    "key": {"namespace": "shop", "owner": {"kind": "Deployment", "name": "cart"}, "trouble": "Readiness",
            "probe": "Readiness"},
    "first": "2026-03-01T12:00:00Z", "last": "2026-03-01T12:05:00Z", "reason": "Unhealthy", "count": 3,
    "told_at": "2026-03-01T12:01:00Z", "news": True, "moments": [],
}  # fmt: skip


def migrate(home: Path, *to: str) -> None:
    env = {**os.environ, "INCIDENT_GRAPH_HOME": str(home), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0", "--no-input", *to], cwd=ROOT, env=env, check=True)


def insert(record: sqlite3.Connection, table: str, **values: object) -> None:
    """A row of which only some columns matter; the others get what their type takes."""
    for _, name, kind, needed, default, key in record.execute(f"PRAGMA table_info({table})"):
        if needed and default is None and not key and name not in values:
            values[name] = 0 if "int" in kind or kind == "bool" else AT if kind == "datetime" else "[]" if name in (
                "preview") else "{}" if name in ("sentence", "memory", "told", "headers") else ""  # fmt: skip
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    record.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    home = tmp_path_factory.mktemp("home")
    migrate(home, "incidents", LAST_OF_0_1)
    with closing(sqlite3.connect(home / "record.sqlite3")) as old:
        for number, pk in enumerate((INCIDENT, OTHER), 1):
            insert(old, "incidents_incident", id=pk, number=number, title="etcd", state="open")
        insert(old, "incidents_outbox", target="ticket:ops", object=AS_TEXT, revision=4, state="done", next_at=AT,
               told=json.dumps(SENT), key="OPS-1", memory='{"comment": "7"}')  # fmt: skip
        insert(old, "incidents_outbox", target="graph", object=AS_TEXT, revision=9, state="waiting", next_at=AT)
        insert(old, "incidents_outbox", target="graph", object=OTHER, revision=2, state="done", next_at=AT)
        insert(old, "incidents_target", name="ticket:ops", failures=3, heard_at=AT)
        insert(old, "incidents_heard", id="0" * 31 + "7", target="ticket:ops", body=b"{}", state="new", received_at=AT)
        insert(old, "incidents_saidevent", target="ticket:ops", marker="m1", incident_id=INCIDENT, verb="resolved",
               by="ada", at=AT)  # fmt: skip
        insert(old, "incidents_requestcount", target="ticket:ops", code=200, count=5)
        insert(old, "incidents_guess", key="k", failures=2, at=AT)
        insert(old, "incidents_watch", name="prod-a", holder="one", heard_at=AT, folds=json.dumps([GROUP]).encode())
        old.commit()
    migrate(home)
    with closing(sqlite3.connect(home / "record.sqlite3")) as new:
        yield new


def test_what_was_sent_and_how_each_target_is_doing_moves_with_its_rows(record: sqlite3.Connection) -> None:
    ((target, revision, key, memory, last_sent),) = record.execute(
        "SELECT target, revision, key, memory, last_sent FROM notify_outbox"
    )
    assert (target, revision, key, json.loads(memory)) == ("ticket:ops", 4, "OPS-1", {"comment": "7"})
    assert json.loads(last_sent) == SENT
    assert record.execute("SELECT failures, event_at FROM notify_targetstatus").fetchall() == [(3, AT)]
    assert record.execute("SELECT code, count FROM notify_requestcount").fetchall() == [(200, 5)]


def test_webhooks_wait_and_events_that_were_applied_are_known(record: sqlite3.Connection) -> None:
    assert record.execute("SELECT state, body FROM notify_inboundwebhook").fetchall() == [("new", b"{}")]
    rows = record.execute("SELECT marker, incident_id, verb FROM notify_appliedticketevent").fetchall()
    assert rows == [("m1", INCIDENT, "resolved")]


def test_only_what_waited_for_the_graph_is_in_its_queue(record: sqlite3.Connection) -> None:
    assert record.execute("SELECT incident_id, next_at FROM incidents_graphqueue").fetchall() == [(INCIDENT, AT)]


def test_login_failures_and_leases_keep_what_they_knew(record: sqlite3.Connection) -> None:
    assert record.execute("SELECT failures FROM incidents_loginfailure").fetchall() == [(2,)]
    ((holder, observed_at, state),) = record.execute("SELECT holder, observed_at, state FROM incidents_watchlease")
    assert (holder, observed_at) == ("one", AT)
    (group,) = msgspec.json.decode(state, type=list[EventGroup])
    assert (group.key.failure, group.has_unreported, group.occurrences) == ("Readiness", True, ())
    assert group.reported_at == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
    assert WatchState("prod-a", state).dump() != b"[]", "the watcher goes on with what it reported"


def test_the_migrated_record_is_sound(record: sqlite3.Connection) -> None:
    assert record.execute("PRAGMA foreign_key_check").fetchall() == []
    assert record.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
