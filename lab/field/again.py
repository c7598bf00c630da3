"""Faults that are made again and again in a thread until they end."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

from lab.faults.process import frozen
from lab.stage.programs import StageBroken


@contextlib.contextmanager
def repeated(do: Callable[[], None], every_s: float) -> Iterator[None]:
    """Do it now and again after each pause, in a thread, until the end."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            do()
            stop.wait(every_s)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield
    finally:
        stop.set()


@contextlib.contextmanager
def asked(address: str, port: int, request: str, every_s: float) -> Iterator[None]:
    """Send a line to a port again and again, also after the server's restart."""

    def ask() -> None:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=5) as one:
            one.sendall(request.encode())
            one.settimeout(10)
            one.recv(100)

    with repeated(ask, every_s):
        yield


@contextlib.contextmanager
def killed(process: Callable[[], int], every_s: float) -> Iterator[None]:
    """Kill the process that is found each time."""

    def kill() -> None:
        with contextlib.suppress(OSError, StopIteration, StageBroken):
            os.kill(process(), signal.SIGKILL)

    with repeated(kill, every_s):
        yield


@contextlib.contextmanager
def starved(process: int, stands_s: float, runs_s: float) -> Iterator[None]:
    """Let a process of the node run only a moment now and then."""

    def stand() -> None:
        with contextlib.suppress(OSError), frozen(process):
            time.sleep(stands_s)

    with repeated(stand, runs_s):
        yield
