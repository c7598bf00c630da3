"""Starts, restarts and stops the processes of `up`; none of them outlives it."""

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from config import engines
from domain.errors import ProductError
from graph.engine import EmbeddedGraph, GraphAddress
from graph.processes import wait_until
from incidents import queries

READY_LIMIT_S = 60.0
STOP_PATIENCE_S = 15.0
WATCHER = "watcher"
WATCHER_EVERY_S = 30.0
BACKOFF_S = (0.5, 1, 2, 5, 10, 30)
# Django's checks import all pages, which takes a third of a second and 22 MiB in each worker.
CELERY = (sys.executable, "-m", "celery", "--quiet", "--skip-checks")


@dataclass(slots=True)
class Child:
    """One supervised process; `failures` counts ends in a row that came within a minute of their start."""

    name: str
    argv: list[str]
    process: "subprocess.Popen[str] | None" = None
    failures: int = 0
    started: float = 0.0
    due: float = 0.0

    def alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """All processes of one data folder. `print_line` prints one line of their output."""

    host: str
    port: int
    print_line: Callable[[str], None] = lambda line: print(line, flush=True)  # noqa: T201
    children: list[Child] = field(default_factory=list)
    graph: EmbeddedGraph | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: IO[str] | None = None
    _look_again: float = 0.0
    _graph_at: GraphAddress | None = None

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Start the engines, prepare the record, then start web and workers. Raises ProductError with the remedy."""
        self._take_lock()
        with ThreadPoolExecutor(1) as pool:  # beside the graph, which is slow to start
            record = pool.submit(self._prepare_record)
            # A child ends with the thread that started it, so all children are started by this thread.
            self._start_redis()
            self._start_graph()
            record.result()
        for name, argv in self._services():
            self._spawn(Child(name, argv))
        self._wait_ready()

    def _take_lock(self) -> None:
        home: Path = settings.INCIDENT_GRAPH_HOME
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (home / "up.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ProductError(
                f"{home} is already served by another `up`: stop it, or set INCIDENT_GRAPH_HOME"
            ) from error
        self._lock = lock

    def _start_redis(self) -> None:
        if "REDIS_URL" in os.environ or "REDIS_URL_FILE" in os.environ:
            return
        socket = engines.socket_folder(settings.RUN_DIR) / "redis.sock"
        socket.unlink(missing_ok=True)
        broker = Child("broker", engines.redis_argv(settings.INCIDENT_GRAPH_HOME, socket))
        if not self._broker_runs(broker, socket):
            # Another version wrote its file, or a full disk truncated it. Nothing is lost: the sweepers send all again.
            aside = None if broker.alive() else engines.set_aside(settings.INCIDENT_GRAPH_HOME)
            if aside is None or not self._broker_runs(broker, socket):
                raise ProductError("the broker does not start; its last lines are above")
            self._note(f"the broker could not read its file, which is now in {aside}; nothing is lost by it")
        engines.write_private(settings.RUN_DIR / "redis.json", {"url": f"unix://{socket}"})

    def _broker_runs(self, broker: Child, socket: Path) -> bool:
        self._spawn(broker)
        wait_until(lambda: engines.redis_answers(socket) or not broker.alive(), READY_LIMIT_S, 0.1)
        return broker.alive() and engines.redis_answers(socket)

    def _start_graph(self) -> None:
        if "GRAPH_URI" in os.environ or "GRAPH_URI_FILE" in os.environ:
            return
        self.graph = self.graph or EmbeddedGraph(settings.INCIDENT_GRAPH_HOME, settings.RUN_DIR)
        self._graph_at = self.graph.start()
        engines.write_private(settings.RUN_DIR / "graph.json", asdict(self._graph_at))

    def _prepare_record(self) -> None:
        """Migrate and make the first user; the database connections are closed before a child can inherit them."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
            call_command("ensure_admin")
        except DatabaseError as error:
            raise ProductError(f"the record cannot be prepared ({error}); check DATABASE_URL") from error
        finally:
            connections.close_all()

    def _services(self) -> list[tuple[str, list[str]]]:
        return [
            ("web", web_argv(self.host, self.port)),
            # Deliveries never wait behind looks, which ask other systems.
            ("worker", worker_argv("ingest,notify", "threads", 2)),
            ("look-worker", worker_argv("investigate", "threads", 3)),
            ("graph-worker", worker_argv("graph", "solo", 1)),
            ("beat", beat_argv(str(settings.RUN_DIR / "beat-schedule"))),
        ]

    def _spawn(self, child: Child) -> None:
        child.process = subprocess.Popen(
            engines.owned(child.argv), cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PORT": str(self.port)},
        )  # fmt: skip
        child.started = time.monotonic()
        if child not in self.children:
            self.children.append(child)
        threading.Thread(target=self._pump, args=(child.name, child.process), daemon=True).start()

    def _pump(self, name: str, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            self.print_line(f"{name:>12} | {line.rstrip()}")

    def _note(self, text: str) -> None:
        self.print_line(f"{'up':>12} | {text}")

    def _wait_ready(self) -> None:
        if not wait_until(lambda: _answers(f"{self.url}/livez"), READY_LIMIT_S, 0.1):
            raise ProductError(f"{self.url} does not answer; is the port taken? choose another with --port")

    def watch(self) -> None:
        """Until `stopping`: restart children that ended, with back-off; start the watcher when it is needed."""
        while not self.stopping.wait(0.3):
            self._look_for_clusters()
            for child in self.children:
                self._look_after(child)
            if self.graph is not None and not self.graph.alive():
                self._revive_graph()

    def _look_for_clusters(self) -> None:
        """Start the watcher if it does not run and a cluster is to be watched."""
        if time.monotonic() < self._look_again or any(child.name == WATCHER for child in self.children):
            return
        self._look_again = time.monotonic() + WATCHER_EVERY_S
        try:
            wanted = any(cluster.watched for cluster in queries.connections().kubernetes)
        except DatabaseError as error:
            self._note(f"the record cannot be asked for clusters: {error}")
            return
        finally:
            connection.close()
        if wanted:
            self._spawn(Child(WATCHER, [sys.executable, str(settings.BASE_DIR / "manage.py"), "watch_kubernetes"]))

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.alive():
            child.failures = 0 if now - child.started > 60 else child.failures
            return
        if not child.due:
            wait = BACKOFF_S[min(child.failures, len(BACKOFF_S) - 1)]
            child.failures, child.due = child.failures + 1, now + wait
            self._note(f"{child.name} ended; starting it again in {wait:g} s")
        elif now >= child.due:
            child.due = 0.0
            self._spawn(child)

    def _revive_graph(self) -> None:
        self._note("the graph ended; starting it again")
        before = self._graph_at
        try:
            self._start_graph()
        except ProductError as error:
            self._note(str(error))
            return
        if self._graph_at == before:
            return  # its clients reconnect
        # Another program took its port meanwhile, so its clients are restarted and read the new address.
        for child in self.children:
            if child.name in {"web", "worker", "look-worker", "graph-worker"} and child.process is not None:
                child.process.terminate()

    def stop(self) -> None:
        """Stop all children in reverse order of their start, with time to finish; then the graph."""
        self.stopping.set()
        for child in reversed(self.children):
            if child.process is not None and child.alive():
                child.process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(STOP_PATIENCE_S)
                if child.alive():
                    os.killpg(child.process.pid, signal.SIGKILL)
        if self.graph is not None:
            self.graph.stop()
        if self._lock is not None:
            self._lock.close()


def web_argv(host: str, port: int) -> list[str]:
    """The web server's command."""
    return [sys.executable, "-m", "config.web_server", "--host", host, "--port", str(port)]


def worker_argv(queues: str, pool: str, concurrency: int) -> list[str]:
    """A worker's command."""
    return [
        *CELERY, "-A", "config", "worker", "--queues", queues, "--pool", pool,
        "--concurrency", str(concurrency), "--hostname", f"{queues.partition(',')[0]}@%h", "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip


def beat_argv(schedule: str) -> list[str]:
    """Beat's command line; `schedule` is the file in which it stores when each task ran last."""
    return [*CELERY, "-A", "config.clock", "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", schedule]


def new_password() -> str:
    """A random password for the first user."""
    return secrets.token_urlsafe(12)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False
