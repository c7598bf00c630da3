"""How fast two workers empty an outbox of 1,000 incidents to a fast target, beside bare clients on the same machine.

The workers' CPU time per row says the same where other work takes the machine: 20 ms would be 100 rows a second.
"""

import asyncio
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROWS, WORKERS, ROUNDS = 1000, 2, 3
AIMS = {"outbox_rows_per_s": ">= 100", "outbox_rate": ">= 0.15", "outbox_cpu_ms_per_row": "<= 10"}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
# What a worker does: `tell` empties the outbox, `bare` posts as many bodies and commits one row for each.
TELL = "from notify.dispatch import dispatch_waiting; print(dispatch_waiting(limit_s=120))"
BARE = """
import sqlite3, sys, httpx
record = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
record.execute("PRAGMA journal_mode=WAL")
record.execute("PRAGMA synchronous=FULL")
with httpx.Client(trust_env=False) as client:
    for n in range(int(sys.argv[3])):
        client.post(sys.argv[2], content=b"x" * 2000).raise_for_status()
        record.execute("INSERT INTO told (body) VALUES (?)", ("x" * 200,))
"""
FILL = """
import uuid
from django.utils import timezone
from domain import codec
from domain.connections import ChatDecl, Connections
from domain.text import Text
from domain.verdict import RankedCause, Outcome, TermResult, Verdict, VerdictState
from connections import declare
from incidents.models import Alert, Incident, Source, VerdictRow
from notify.models import Outbox
import sys
now, rows, url, secret = timezone.now(), int(sys.argv[1]), sys.argv[2], sys.argv[3]
chat = ChatDecl(kind="webhook", name="fast", url=url, secret_file=secret, storm_incidents=10**6)
declare.declare(Connections(chat=[chat]))
source = Source.objects.create(kind="alertmanager", name="bench", token_hash="0" * 64)
incidents = [Incident(number=n + 1, title=f"p{n} fails", severity=3, started_at=now, opened_at=now, last_alert_at=now,
                      first_cause="etcd-slow-disk", verdict_state="ranked") for n in range(rows)]
Incident.objects.bulk_create(incidents)
term = TermResult("etcd-fsync-one-slow", Outcome.FOR, 2.1, Text("Sync took 390 ms"), "rate(x)")
def body(i):
    cause = RankedCause("etcd-slow-disk", "infrastructure", Text("Slow disk"), 1, 0.83, (term,) * 5)
    headline = Text("The disk is slow")
    return codec.encode(Verdict(str(i.pk), 1, VerdictState.RANKED, headline, now, (cause,) * 3, 0.06, (), (), (),
                                "terms", "1", "sha256:" + "a" * 64))
VerdictRow.objects.bulk_create([VerdictRow(incident=i, revision=1, body=body(i), created_at=now) for i in incidents])
Alert.objects.bulk_create([Alert(source=source, identity=f"f{i.number}", firing=True, name="Probe", title=i.title,
    started_at=now, last_seen_at=now, parsed=b"{}", incident=i) for i in incidents])
due = {"target": "chat:fast", "next_at": now, "wanted_at": now}
Outbox.objects.bulk_create([Outbox(object=str(i.pk), **due) for i in incidents])
"""


@contextmanager
def _fast_target() -> Iterator[str]:
    """A server that answers everything with 200 at once; its address."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/told"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await _head(reader):
        length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
        await reader.readexactly(length)
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


GATE = """
import sys, time, django
django.setup()
print("ready", flush=True)
sys.stdin.readline()
began = time.process_time()
exec(sys.argv.pop(1))
print(time.process_time() - began)
"""


def _together(argv: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds until all workers are done, without their start, and their CPU seconds."""
    running = [
        subprocess.Popen([sys.executable, "-c", GATE, *argv], env=env, text=True, stdin=-1, stdout=-1)
        for _ in range(WORKERS)
    ]
    for worker in running:
        assert worker.stdout and worker.stdout.readline() == "ready\n"
    began = time.perf_counter()
    said = [worker.communicate("go\n")[0] for worker in running]
    took = time.perf_counter() - began
    assert not any(worker.returncode for worker in running), "a worker failed; its words are above"
    return took, sum(float(words.split()[-1]) for words in said)


def _round(url: str) -> tuple[float, float, float]:
    """Rows per second of the outbox and of the bare clients, and CPU milliseconds per row."""
    with tempfile.TemporaryDirectory(prefix="ig-bench-") as name:
        folder = Path(name)
        (folder / "secret").write_text("a-secret-of-the-bench-0123456789", encoding="utf-8")
        env = {**os.environ, "INCIDENT_GRAPH_HOME": name, "DJANGO_SETTINGS_MODULE": "config.settings"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0", "--no-input"], env=env, check=True)
        fill = f"import django; django.setup(); exec({FILL!r})"
        subprocess.run([sys.executable, "-c", fill, str(ROWS), url, str(folder / "secret")], env=env, check=True)
        took, cpu = _together([TELL], env)
        with sqlite3.connect(folder / "record.sqlite3") as record:
            (left,) = record.execute("SELECT count(*) FROM notify_outbox WHERE state <> 'done'").fetchone()
            assert not left, f"{left} rows are left"
            record.execute("CREATE TABLE told (id INTEGER PRIMARY KEY, body TEXT)")
        bare, _ = _together([BARE, str(folder / "record.sqlite3"), url, str(ROWS // WORKERS)], env)
        return ROWS / took, ROWS / bare, cpu * 1000 / ROWS


def measured() -> dict[str, float]:
    """Medians of the rounds; the ratio is to clients that only post and commit."""
    with _fast_target() as url:
        rounds = [_round(url) for _ in range(ROUNDS)]
    return {
        "outbox_rows_per_s": round(statistics.median(told for told, _, _ in rounds), 1),
        "outbox_rate": round(statistics.median(told / bare for told, bare, _ in rounds), 3),
        "outbox_cpu_ms_per_row": round(statistics.median(cpu for _, _, cpu in rounds), 2),
    }
