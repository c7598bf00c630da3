"""Runs real programs in a scratch folder and ends all of them, also when this process is killed."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from lab.stage.sweep import sweep


class StageBroken(Exception):
    """A real program did not start, did not become ready or did not show the fault; the text says which."""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago.

    It is below 32768, as Zabbix demands, and below the range of outgoing connections, as a program may listen on it
    seconds later.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randint(20_000, 32_000)))
            return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Any], what: str, seconds: float = 60.0, step: float = 0.25) -> Any:
    """Polls until `true()` is truthy and returns it; raises StageBroken after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := true():
            return answer
        time.sleep(step)
    raise StageBroken(f"{what}: not within {seconds:.0f} s")


def answers(url: str, **kwargs: Any) -> Callable[[], bool]:
    """A question for wait_until: does this URL answer 200?"""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=2.0, **kwargs).status_code == 200
        except httpx.HTTPError:
            return False

    return ask


def log_progress(text: str) -> None:
    """Print one line of progress with the time."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


@dataclass
class Stage:
    """A scratch folder and the programs that run in it; leaving the context ends and removes everything.

    Each program gets the parent-death signal, so a killed recorder leaves no orphan behind.
    The folder is on tmpfs where there is one, so that only a fault makes the disk slow.
    """

    on_disk: bool = False
    folder: Path = field(init=False)
    _running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) and not self.on_disk else None
        self.folder = Path(tempfile.mkdtemp(prefix="ig-lab-", dir=base))
        self.folder.chmod(0o755)
        # Its standard input closes when this process ends in whatever way; then it sweeps.
        self._watchdog = subprocess.Popen(
            [sys.executable, "-m", "lab.stage.sweep", str(self.folder)], stdin=subprocess.PIPE,
            cwd=Path(__file__).parents[2], start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()

    def start(
        self, name: str, argv: Sequence[str], *, user: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts one program, its output in NAME.log; `user` drops root (PostgreSQL refuses it)."""
        drop = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        log = (self.folder / f"{name}.log").open("ab")
        child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *drop, "--", *argv],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
            env={**os.environ, **(env or {})}, start_new_session=True,
        )  # fmt: skip
        self._running.append((name, child))
        return child

    def process(self, name: str) -> subprocess.Popen[bytes] | None:
        """The newest program of this name."""
        return next((child for known, child in reversed(self._running) if known == name), None)

    def after(self, undo: Callable[[], None]) -> None:
        """Registers something to undo when the stage ends, last first."""
        self._after.append(undo)

    def log_of(self, name: str, last: int = 1500) -> str:
        """The tail of one program's log."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-last:] if path.exists() else ""

    def ready(self, name: str, url: str, seconds: float = 60.0, **kwargs: Any) -> None:
        """Wait until the program's URL answers 200. Raises StageBroken with its log."""
        try:
            wait_until(answers(url, **kwargs), name, seconds)
        except StageBroken as error:
            raise StageBroken(f"{error}\n{self.log_of(name)}") from error

    def write(self, name: str, content: str | dict[str, Any]) -> Path:
        """A file in the scratch folder; a dict is written as JSON (which every YAML reader takes)."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    def end(self, child: subprocess.Popen[bytes], seconds: float = 8.0) -> None:
        """Ends one program: continued if stopped, asked, then killed."""
        if child.poll() is None:
            child.send_signal(signal.SIGCONT)
            child.terminate()
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def stop(self) -> None:
        """Ends everything, newest first, and removes the folder."""
        for undo in reversed(self._after):
            undo()
        for _, child in reversed(self._running):
            self.end(child)
        self._keep_logs()
        sweep(self.folder)
        if self._watchdog.stdin:
            self._watchdog.stdin.close()
        self._watchdog.wait(10)

    def _keep_logs(self) -> None:
        """Copy the programs' logs to the folder INCIDENT_GRAPH_LOGS, if it is set."""
        if named := os.environ.get("INCIDENT_GRAPH_LOGS"):
            kept = Path(named) / self.folder.name
            kept.mkdir(parents=True, exist_ok=True)
            for log in self.folder.glob("*.log"):
                shutil.copy(log, kept)
