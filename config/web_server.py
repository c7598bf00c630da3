"""The web server: several processes with a few threads each, none of which waits for a slow client.

One loop in each process reads requests and writes answers; a thread only gets complete requests. A client that is too
slow is disconnected, as the number of connections is limited. A request without an answer was not accepted, so its
sender sends it again.
"""

import argparse
import logging
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from graph.child import tie_to_parent

PROCESSES, THREADS = 2, 4
CONNECTIONS = 400  # in each process; with a file for each long body they stay under the usual 1024 open files
GRACE_S = 10.0
PACE = 64 * 1024
HELD_BYTES = 128 * 1024 * 1024
LINGER_S = 2.0
LOOK_EVERY_S = 1.0
STOP_S = 8.0  # Docker kills after ten seconds
RESTART_S = 1.0
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
LIMITS = {
    "connection_limit": CONNECTIONS,
    "threads": THREADS,
    "max_request_header_size": 64 * 1024,
    "max_request_body_size": 9 * 1024 * 1024,  # above the doors' 8 MiB, so that they answer with their own message
    "inbuf_overflow": 128 * 1024,
    "asyncore_use_poll": True,
    "log_socket_errors": False,
    "ident": None,
    # A proxy's headers are checked where they are read: `incidents.callers`, `web.api.health`, SECURE_PROXY_SSL_HEADER.
    "clear_untrusted_proxy_headers": False,
}


class PacedChannel(HTTPChannel):  # type: ignore[misc]  # it has no type hints
    """A connection with time limits.

    A request may take `grace_s` seconds and one more for each `PACE` bytes. An answer may take `grace_s` seconds for
    each `PACE` bytes that the client takes.
    """

    grace_s = GRACE_S
    _answer_until = _linger_until = math.inf
    _ended = False
    will_close: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_until = time.monotonic() + self.grace_s

    def received(self, data: bytes) -> bool:
        """Read bytes; a request's time starts with its first byte. Bytes after the last answer are dropped."""
        if self._ended:
            return False
        before = self.request
        went_on = bool(super().received(data))
        if before is None or self.request is not before:
            self._request_until = time.monotonic() + self.grace_s
        self._request_until += len(data) / PACE
        return went_on

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Write bytes; each `PACE` bytes that the client takes extend the time by `grace_s` seconds."""
        taken = int(super().send(data, do_close))
        most = time.monotonic() + self.grace_s
        self._answer_until = min(most, self._answer_until + taken / PACE * self.grace_s)
        return taken

    def look(self, now: float) -> None:
        """Disconnect a client that is too slow; called every `look_every_s` seconds.

        The time for an answer starts again while none waits to be written, the time for a request while none is read.
        """
        if not self.total_outbufs_len:
            self._answer_until = now + self.grace_s
        if not self.idle():
            self._request_until = now + self.grace_s
        if now > min(self._answer_until, self._request_until, self._linger_until):
            self.cut_off()

    def cut_off(self) -> None:
        """Close at once; `will_close` would wait until the client has taken the rest of the answer."""
        self._ended = True
        self.handle_close()

    def held(self) -> int:
        """How many bytes of an incomplete body are held in memory or in a file."""
        return 0 if self.request is None else int(self.request.body_bytes_received)

    def handle_close(self) -> None:
        """Close only the sending half first: a full close would discard the answer of a request not read whole."""
        if self.will_close and self.connected and not self._ended:
            self._ended, self.will_close = True, False
            self._linger_until = time.monotonic() + LINGER_S
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()

    def idle(self) -> bool:
        """Whether no request is in progress and every answer was written."""
        return not (self.requests or self.total_outbufs_len)


class PacedServer(TcpWSGIServer):  # type: ignore[misc]  # as above
    """Serves one listening socket on paced connections until `stopping`."""

    channel_class = PacedChannel
    held_bytes, look_every_s = HELD_BYTES, LOOK_EVERY_S
    stopping = False
    _look_at = 0.0

    def stop(self, *_: object) -> None:
        """End `serve`; may be called from a signal handler."""
        self.stopping = True
        self.pull_trigger()

    def serve(self, parent: int) -> None:
        """Serve until `stop`, or until the parent ends; then answer complete requests for `STOP_S` seconds at most."""
        while not self.stopping and os.getppid() == parent:
            self._turn(self.look_every_s)
        self.del_channel()
        self.socket.close()
        until = time.monotonic() + STOP_S
        while self._unanswered() and time.monotonic() < until:
            self._turn(0.1)
        self.task_dispatcher.shutdown(timeout=1)

    def _turn(self, limit_s: float) -> None:
        self.asyncore.loop(timeout=limit_s, use_poll=True, map=self._map, count=1)
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + self.look_every_s
            for channel in list(self.active_channels.values()):
                channel.look(now)
            self._shed()

    def _shed(self) -> None:
        """Disconnect the largest senders while incomplete bodies hold more than `held_bytes` in all.

        A client without a token can send a long body too.
        """
        holding = sorted(self.active_channels.values(), key=PacedChannel.held)
        held = sum(channel.held() for channel in holding)
        while held > self.held_bytes:
            held -= holding[-1].held()
            holding.pop().cut_off()

    def _unanswered(self) -> bool:
        """Whether a connection is not idle yet; closes idle ones, so that they bring no new request."""
        for channel in self.active_channels.values():
            channel.will_close = channel.will_close or channel.idle()
        return not all(channel.idle() for channel in self.active_channels.values())


def served(app: Any, listening: socket.socket, server: type[PacedServer] = PacedServer) -> PacedServer:
    """The server of `app` on a socket that other processes serve too."""
    limits = Adjustments(sockets=[listening], **LIMITS)
    where = (listening.family, listening.type, listening.proto, listening.getsockname())
    return server(app, _sock=listening, adj=limits, bind_socket=False, sockinfo=where)


def run(serve_one: Callable[[int], None], processes: int) -> None:
    """Keep `processes` processes that run `serve_one(parent's pid)`, until SIGTERM or SIGINT."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # an ignored signal would not be waited for
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    children = {_started(serve_one) for _ in range(processes)}
    while signal.sigwait(SIGNALS) == signal.SIGCHLD:
        ended = {pid for pid in children if os.waitpid(pid, os.WNOHANG)[0]}
        if ended:
            time.sleep(RESTART_S)
        children = children - ended | {_started(serve_one) for _ in ended}
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    for pid in children:
        os.waitpid(pid, 0)


def _started(serve_one: Callable[[int], None]) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        serve_one(parent)
    except BaseException:
        logging.getLogger(__name__).exception("a web process ended")
        os._exit(1)
    os._exit(0)


def serve_one_of(app: Any, listening: socket.socket, server: type[PacedServer]) -> Callable[[int], None]:
    """The function that each process runs."""

    def serve_one(parent: int) -> None:
        one = served(app, listening, server)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, one.stop)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        tie_to_parent(parent)  # where the kernel cannot do it, `serve` checks the parent
        one.serve(parent)

    return serve_one


def main(argv: list[str], server: type[PacedServer] = PacedServer) -> None:
    """Load the application once, then serve it from all processes."""
    parser = argparse.ArgumentParser(prog="python -m config.web_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--app", default="config.wsgi", help="module with the `application`")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    asked = parser.parse_args(argv)
    family = socket.AF_INET6 if ":" in asked.host else socket.AF_INET
    try:
        listening = socket.create_server((asked.host, asked.port), family=family, backlog=1024)
    except OSError as error:
        sys.exit(f"cannot listen on {asked.host} port {asked.port}: {error}")
    app = import_module(asked.app).application
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue of requests is normal
    run(serve_one_of(app, listening, server), asked.processes)


if __name__ == "__main__":
    main(sys.argv[1:])
