"""The web server's worker: a connection holds one of the few threads only while it keeps a pace.

A sender that stops in the middle of its request, or never reads its answer, would otherwise keep a thread for ever,
and a handful of them the whole service. They are cut off; nothing that was accepted is lost by it.
"""

import errno
import math
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

T = TypeVar("T")
GRACE_S = 10.0
PACE = 64 * 1024
LINGER_S = 0.5
FIRST_BYTE_S = 5.0
ALREADY_THERE_S = 0.25


class Paced(socket.socket):
    """A connection: requests get `grace_s` seconds, and one more for each `PACE` bytes; answers go in such parts."""

    grace_s = GRACE_S
    _until = math.inf
    _over = False

    def begin(self) -> None:
        """What is now waited for may take `grace_s` seconds."""
        self._until = time.monotonic() + self.grace_s

    def served(self) -> None:
        """A thread is there: what came while it was waited for is taken, however late it is."""
        self._until = max(self._until, time.monotonic() + ALREADY_THERE_S)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Raises ConnectionResetError when the other side is too slow."""
        if self._over:
            return b""
        got = self._in_time(lambda: super(Paced, self).recv(size, flags))
        self._until += len(got) / PACE
        return got

    def linger(self) -> None:
        """Ends the answer and waits a moment for the other side to take it; whoever closes then waits no more."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR if time.monotonic() > self._until else socket.SHUT_WR)
            self._until = time.monotonic() + LINGER_S
            while self.recv(4096):
                pass
        self._over = True

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Raises ConnectionResetError when a part of it is not taken for `grace_s` seconds."""
        whole = memoryview(data)
        for start in range(0, len(whole), PACE):
            part = whole[start : start + PACE]
            self.begin()
            self._in_time(lambda part=part: super(Paced, self).sendall(part, flags))  # type: ignore[misc]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As `sendall`."""
        self.begin()
        return self._in_time(lambda: super(Paced, self).sendfile(file, offset, count))

    def _in_time(self, act: Callable[[], T]) -> T:
        asked = self.gettimeout()
        left = max(0.0, self._until - time.monotonic())
        self.settimeout(left if asked is None and left < math.inf else asked)
        try:
            return act()
        except (TimeoutError, BlockingIOError) as error:
            raise ConnectionResetError(errno.ECONNRESET, "the other side is too slow") from error
        finally:
            self.settimeout(asked)


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # it has no type hints
    """Gunicorn's threads, on paced connections."""

    connection = Paced

    def enqueue_req(self, conn: Any) -> None:
        """A request's time runs from its first byte, also while it waits for a thread; without one it takes none."""
        if isinstance(conn.sock, Paced):
            conn.sock.begin()
            super().enqueue_req(conn)
            return
        conn.sock = self.connection(fileno=conn.sock.detach())
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + FIRST_BYTE_S
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        """One request. A connection is ended here, not in the one thread that takes new ones for all."""
        conn.sock.served()
        goes_on = super().handle(conn)
        if goes_on is False:
            conn.sock.linger()
        return goes_on
