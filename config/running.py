"""Runs the whole service, `manage.py up`, as a child process: waits for its `ready` line and ends it cleanly."""

import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

from django.conf import settings

from domain.errors import Unreachable

READY_LIMIT_S = 120.0
STOP_LIMIT_S = 45.0


class Service:
    """`with Service(port, log) as service:` runs `up`; its output goes to the log file."""

    def __init__(self, port: int, log: Path) -> None:
        self._port, self._log = port, log
        self._ready: queue.Queue[str] = queue.Queue()
        self._last: deque[str] = deque(maxlen=5)

    def __enter__(self) -> "Service":
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._child = subprocess.Popen(
            [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), "up", "--port", str(self._port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._read_output, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def await_ready(self) -> str:
        """Wait until the service answers; its address. Raises Unreachable with the last log lines."""
        try:
            address = self._ready.get(timeout=READY_LIMIT_S)
        except queue.Empty:
            address = ""
        if not address:
            last = " / ".join(self._last)
            raise Unreachable(f"the service did not start: {last}; the whole log is {self._log}")
        return address

    def wait(self) -> None:
        """Wait until the service ends."""
        self._child.wait()

    def _read_output(self) -> None:
        """Write every line to the log, and queue the address of the line `ready <url>`; an empty one at the end."""
        with self._log.open("w", encoding="utf-8") as log:
            for line in self._child.stdout or ():
                log.write(line)
                log.flush()
                self._last.append(line.strip())
                word, _, rest = line.strip().partition(" ")
                if word == "ready":
                    self._ready.put(rest.split()[0].rstrip("/"))
        self._ready.put("")
