"""The web server: `PROCESSES` processes with a few threads each, none of which ever waits for a slow sender or reader.

Requests are taken in, and answers handed out, by one loop in each process; a thread sees whole requests only. Whoever
keeps no pace is cut off all the same: connections are limited too. What was not answered was not accepted, and is sent
again.
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
    "max_request_body_size": 9 * 1024 * 1024,  # the doors say in their own words what is over their 8 MiB
    "inbuf_overflow": 128 * 1024,
    "asyncore_use_poll": True,
    "log_socket_errors": False,
    "ident": None,
    # What a proxy says is judged where it is read: `ingest.callers`, `web.api.health`, SECURE_PROXY_SSL_HEADER.
    "clear_untrusted_proxy_headers": False,
}


class PacedChannel(HTTPChannel):  # type: ignore[misc]  # it has no type hints
    """A connection: a request gets `grace_s` seconds and one more for each `PACE` bytes, an answer as many for each."""

    grace_s = GRACE_S
    _answer_until = _linger_until = math.inf
    _ended = False
    will_close: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_until = time.monotonic() + self.grace_s

    def received(self, data: bytes) -> bool:
        """A request's time runs from its first byte; what comes after the last answer is read and forgotten."""
        if self._ended:
            return False
        before = self.request
        went_on = bool(super().received(data))
        if before is None or self.request is not before:
            self._request_until = time.monotonic() + self.grace_s
        self._request_until += len(data) / PACE
        return went_on

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Each `PACE` bytes that are taken give the rest another `grace_s` seconds."""
        taken = int(super().send(data, do_close))
        most = time.monotonic() + self.grace_s
        self._answer_until = min(most, self._answer_until + taken / PACE * self.grace_s)
        return taken

    def look(self, now: float) -> None:
        """Cuts off who is late. Asked every `look_every_s`; the time of what nobody owes begins anew."""
        if not self.total_outbufs_len:
            self._answer_until = now + self.grace_s
        if not self.idle():
            self._request_until = now + self.grace_s
        if now > min(self._answer_until, self._request_until, self._linger_until):
            self.cut_off()

    def cut_off(self) -> None:
        """Not by `will_close`: that waits until the other side takes what it does not take."""
        self._ended = True
        self.handle_close()

    def held(self) -> int:
        """So many bytes of a body are here that nobody has looked at yet: its rest is not."""
        return 0 if self.request is None else int(self.request.body_bytes_received)

    def handle_close(self) -> None:
        """First half closed: the whole end would take the answer along where the request was not read to its end."""
        if self.will_close and self.connected and not self._ended:
            self._ended, self.will_close = True, False
            self._linger_until = time.monotonic() + LINGER_S
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_close()

    def idle(self) -> bool:
        """Whether nothing that was accepted is unanswered."""
        return not (self.requests or self.total_outbufs_len)


class PacedServer(TcpWSGIServer):  # type: ignore[misc]  # as above
    """Serves one listening socket on paced connections until `stopping`."""

    channel_class = PacedChannel
    held_bytes, look_every_s = HELD_BYTES, LOOK_EVERY_S
    stopping = False
    _look_at = 0.0

    def stop(self, *_: object) -> None:
        """Fit for a signal: the loop sees it at once."""
        self.stopping = True
        self.pull_trigger()

    def serve(self, parent: int) -> None:
        """Until `stop`, or until the parent is gone; what came whole is answered before it ends, within `STOP_S`."""
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
        """Who has no token may send a long body too: together they get so much room, and who takes most goes first."""
        holding = sorted(self.active_channels.values(), key=PacedChannel.held)
        held = sum(channel.held() for channel in holding)
        while held > self.held_bytes:
            held -= holding[-1].held()
            holding.pop().cut_off()

    def _unanswered(self) -> bool:
        """Closes what is idle, so that no new request comes by it."""
        for channel in self.active_channels.values():
            channel.will_close = channel.will_close or channel.idle()
        return not all(channel.idle() for channel in self.active_channels.values())


def served(app: Any, listening: socket.socket, server: type[PacedServer] = PacedServer) -> PacedServer:
    """The server of `app` on a socket that others may serve too."""
    limits = Adjustments(sockets=[listening], **LIMITS)
    where = (listening.family, listening.type, listening.proto, listening.getsockname())
    return server(app, _sock=listening, adj=limits, bind_socket=False, sockinfo=where)


def run(serve_one: Callable[[int], None], processes: int) -> None:
    """Keeps so many processes that run `serve_one(parent's pid)`, until this one is told to end."""
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
    """What each process does."""

    def serve_one(parent: int) -> None:
        one = served(app, listening, server)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, one.stop)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        tie_to_parent(parent)  # at once where the kernel can do it; elsewhere `serve` sees it at its next look
        one.serve(parent)

    return serve_one


def main(argv: list[str], server: type[PacedServer] = PacedServer) -> None:
    """Loads the application once, then serves it from all processes."""
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
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no fault: each request waits its turn
    run(serve_one_of(app, listening, server), asked.processes)


if __name__ == "__main__":
    main(sys.argv[1:])
