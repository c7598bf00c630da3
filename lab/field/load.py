"""Requests and open connections from the node to a pod, few enough that only a fault makes anything slow."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator


class Load:
    """`clients` threads, each with `rate` requests a second; errors are what a fault may well give."""

    def __init__(self, address: str, port: int, path: str, rate: float, clients: int = 1) -> None:
        self.rate, self.path = rate, path
        self._address, self._port, self._clients = address, port, clients
        self._stop = threading.Event()

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._clients):
            threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End them."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                client = http.client.HTTPConnection(self._address, self._port, timeout=60)
                client.request("GET", self.path)
                client.getresponse().read()
                client.close()
            self._stop.wait(1 / self.rate if self.rate else 1)


@contextlib.contextmanager
def held(address: str, port: int, count: int, greeting: bytes = b"", every_s: float = 0.0) -> Iterator[None]:
    """Keep that many connections open; one that was closed is opened again, `greeting` is sent on each."""
    stop = threading.Event()

    def keep() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=5) as one:
                one.sendall(greeting)
                one.settimeout(1)
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not one.recv(4096):
                            break
                    if every_s and greeting:
                        one.sendall(b"X-A: b\r\n")
            stop.wait(0.3)

    for _ in range(count):
        threading.Thread(target=keep, daemon=True).start()
        time.sleep(0.01)
    try:
        yield
    finally:
        stop.set()
