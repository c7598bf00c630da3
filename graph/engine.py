"""The embedded graph server: a child process on loopback, which its owner starts, adopts and stops."""

import base64
import fcntl
import importlib.util
import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from domain.errors import ProductError
from graph import child
from graph.processes import command_line, end, wait_until

USER = "root"
READY_LIMIT_S = 60.0
STOP_PATIENCE_S = 15.0
# After its parent ended, a server gets SIGTERM from the kernel and may still answer for a moment.
_ORPHAN_PATIENCE_S = 3.0
_MAIN_CLASS = "com.arcadedb.server.ArcadeDBServer"
_PORT_ATTEMPTS = 3
_BELOW_OUTGOING = range(20_000, 32_000)
_PORT_TAKEN = re.compile(r"Address already in use|HTTP Port \d+ not available")


@dataclass(frozen=True, slots=True)
class GraphAddress:
    """The address and credentials of the graph. The password is not in its repr."""

    uri: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's limits: heap and metaspace in MiB, milliseconds for a query."""

    heap_mib: int = 384
    metaspace_mib: int = 128
    command_ms: int = 30_000


class EmbeddedGraph:
    """One graph folder `<home>/graph` and the one server that may have it open.

    `runtime` is a folder with a short path. Call `start` from a thread that lives as long as the server must (the main
    thread): the kernel ends the server with that thread.
    """

    def __init__(
        self,
        home: Path,
        runtime: Path,
        limits: Limits | None = None,
        stop_patience_s: float = STOP_PATIENCE_S,
    ) -> None:
        self.folder = home.absolute() / "graph"
        self._runtime = runtime
        self._limits = limits or Limits()
        self._patience_s = stop_patience_s
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def pid(self) -> int:
        """The server's process id, 0 while none runs."""
        return self._pid

    @property
    def log_file(self) -> Path:
        """Where the server's own output goes."""
        return self.folder / "server.log"

    def start(self) -> GraphAddress:
        """A server that answers: the one already running for this folder, or a new one.

        Raises ProductError when another process serves the folder, when the folder cannot be used, or when the server
        does not answer within `READY_LIMIT_S`.
        """
        self._prepare_folder()
        self._take_lock()
        try:
            return self.adopt() or self._spawn()
        except BaseException:
            self.stop()
            raise

    def adopt(self) -> GraphAddress | None:
        """Take over the server that an earlier owner left, or end it when it does not answer.

        None when no server runs. Raises ProductError when one neither answers nor ends.
        """
        known = self._read_run_file()
        if known is None:
            return None
        pid = int(known["pid"])
        if self._process is not None and self._process.pid == pid:
            return self._address(known) if self.alive() else None
        if not self._is_ours(pid):
            return None
        address = self._address(known)
        if wait_until(lambda: not self._is_ours(pid), _ORPHAN_PATIENCE_S):
            return None
        if _answers(address, int(known.get("http", 0))):
            self._pid = pid
            return address
        if not end(pid, lambda: self._is_ours(pid), self._patience_s):
            raise ProductError(
                f"The graph server {pid} of {self.folder} neither answers nor ends: end it, start again."
            )
        return None

    def alive(self) -> bool:
        """Whether the server's process runs."""
        if self._process is not None:
            return self._process.poll() is None
        return self._pid > 0 and self._is_ours(self._pid)

    def stop(self) -> None:
        """End the server and release the folder; a second call does nothing. Raises ProductError if it does not end."""
        if self._process is not None:
            self._stop_child(self._process)
        elif self._pid and not end(self._pid, lambda: self._is_ours(self._pid), self._patience_s):
            raise ProductError(f"The graph server {self._pid} does not end: end it by hand.")
        if self._lock is not None:
            self._run_file.unlink(missing_ok=True)
            self._lock.close()
        self._lock, self._process, self._pid = None, None, 0

    @property
    def _run_file(self) -> Path:
        return self.folder / "run.json"

    def _stop_child(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(self._patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _prepare_folder(self) -> None:
        try:
            for folder in (self.folder, self._runtime):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.folder.stat().st_uid != os.geteuid():
                raise PermissionError("it belongs to another user")
            self.folder.chmod(0o700)
        except OSError as error:
            raise ProductError(
                f"The graph folder {self.folder} cannot be used ({error}): "
                "give it to this user, or set INCIDENT_GRAPH_HOME to another folder."
            ) from error

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.folder / "owner.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise ProductError(
                f"The graph folder {self.folder} is already served by process {owner}: "
                "stop that one, or set INCIDENT_GRAPH_HOME to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _spawn(self) -> GraphAddress:
        for _ in range(_PORT_ATTEMPTS):
            address = self._spawn_once()
            if address is not None:
                return address
        raise ProductError(f"The graph server found no free port: see {self.log_file}.")

    def _spawn_once(self) -> GraphAddress | None:
        """A ready server; None when another program took the chosen port in between."""
        password = self._password()
        bolt, http = self._ports()
        address = GraphAddress(f"bolt://127.0.0.1:{bolt}", USER, password)
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", child.__file__, str(os.getpid()), *self._command(bolt, http)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the supervisor's to hand on
                env={"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"},
            )
        self._pid = self._process.pid
        self._write_run_file(address, http)
        in_time = wait_until(
            lambda: not self.alive() or self._port_lost() or _answers(address, http), READY_LIMIT_S, 0.1
        )
        if self._port_lost():
            self._stop_child(self._process)  # without its HTTP port it goes on running, but has no database
            self._run_file.unlink()  # so that the next attempt takes other ports
            return None
        if in_time and self.alive():
            return address
        raise self._failure(self._output())

    def _output(self) -> str:
        return self.log_file.read_text(errors="replace")

    def _port_lost(self) -> bool:
        return bool(_PORT_TAKEN.search(self._output()))

    def _failure(self, output: str) -> ProductError:
        why = "ended" if not self.alive() else f"did not answer within {READY_LIMIT_S:.0f} s"
        last = (output.strip().splitlines() or ["it said nothing"])[-1][:300]
        return ProductError(f"The graph server {why} ({last}): see {self.log_file}, or set GRAPH_URI to a Neo4j 5.")

    def _ports(self) -> tuple[int, int]:
        """A Bolt and an HTTP port; Bolt's of the last run if it is free, so that clients reconnect after a restart."""
        bolt, http = free_ports()
        known = self._read_run_file() or {}
        last = urlsplit(str(known.get("uri", ""))).port
        return (last, http) if last and is_free(last) else (bolt, http)

    def _command(self, bolt: int, http: int) -> list[str]:
        package = wheel_folder()
        limits = self._limits
        settings = {
            "server.rootPath": self.folder,
            "server.rootPasswordPath": self.folder / "password",
            "server.mode": "production",
            "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
            "bolt.host": "127.0.0.1",  # the engine's own default is every interface
            "bolt.port": bolt,
            "bolt.defaultDatabase": "neo4j",
            "server.httpIncomingHost": "127.0.0.1",
            "server.httpIncomingPort": http,
            "server.defaultDatabases": f"neo4j[{USER}]",
            "command.timeout": limits.command_ms,  # it ignores the driver's own timeouts
        }
        return [
            str(package / "jre" / "bin" / "java"),
            f"-Xmx{limits.heap_mib}m",
            f"-XX:MaxMetaspaceSize={limits.metaspace_mib}m",
            "-XX:+UseSerialGC",  # the smallest resident size; two cores gain nothing from more threads
            # Only the quick compiler: it starts in half the time, does the first hundred writes in a third of it and
            # needs 50 MiB less. The full one is faster by a fifth from about the thousandth write on.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            *("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"),
            "-Djava.awt.headless=true",
            *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
            *("-cp", f"{package}/jars/*", _MAIN_CLASS),
        ]

    def _password(self) -> str:
        """The password in the folder. If there is none, a new one, and the file with the old one's hash is removed."""
        file = self.folder / "password"
        if file.exists() and (kept := file.read_text().strip()):
            file.chmod(0o600)
            return kept
        (self.folder / "config" / "server-users.jsonl").unlink(missing_ok=True)
        made = secrets.token_urlsafe(24)
        write_private(file, made)
        return made

    def _write_run_file(self, address: GraphAddress, http: int) -> None:
        write_private(self._run_file, json.dumps({**asdict(address), "pid": self._pid, "http": http}))

    def _read_run_file(self) -> dict[str, Any] | None:
        try:
            known = json.loads(self._run_file.read_text())
            return known if {"pid", "uri", "user", "password"} <= known.keys() else None
        except (OSError, ValueError, AttributeError):
            return None  # no server was left running, or the file is damaged

    def _address(self, known: dict[str, Any]) -> GraphAddress:
        return GraphAddress(known["uri"], known["user"], known["password"])

    def _is_ours(self, pid: int) -> bool:
        line = command_line(pid)
        return _MAIN_CLASS in line and f"rootPath={self.folder} " in line


def _answers(address: GraphAddress, http: int) -> bool:
    """Whether a query is answered within a few seconds.

    It asks the HTTP port, which opens after Bolt's: the Bolt driver would add 40 MiB to the supervising process.
    """
    who = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
    query = json.dumps({"language": "cypher", "command": "RETURN 1 AS one"})
    try:
        with closing(HTTPConnection("127.0.0.1", http, timeout=5.0)) as asked:
            asked.request("POST", "/api/v1/query/neo4j", query, {"Authorization": f"Basic {who}"})
            return asked.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def free_ports() -> tuple[int, int]:
    """Two ports of loopback that are free now.

    The server listens on them seconds later, so they are below the range that outgoing connections use meanwhile.
    """
    free = (port for port in random.sample(_BELOW_OUTGOING, len(_BELOW_OUTGOING)) if is_free(port))
    return next(free), next(free)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: TIME_WAIT is no hindrance
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wheel_folder(find: Callable[[str], Any] = importlib.util.find_spec) -> Path:
    """The unpacked wheel that holds the server and its Java. Raises ProductError where it is missing."""
    found = find("arcadedb_embedded")
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or shutil.which(str(folder / "jre" / "bin" / "java")) is None:
        raise ProductError(
            "The embedded graph is not installed on this platform: pip install arcadedb-embedded "
            "(Linux with glibc 2.34, macOS arm64, Windows), or set GRAPH_URI to a Neo4j 5."
        )
    return folder


def write_private(file: Path, content: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(content)
    fresh.replace(file)
