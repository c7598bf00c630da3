"""Small servers with one defect each, on ports of their own."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Serve = Callable[[socket.socket], None]


def answer(status: str, body: bytes = b"ok\n", headers: str = "", *, wait_s: float = 0.0, body_s: float = 0.0) -> Serve:
    """Reads a request and answers it; waits before the headers, or within the body."""

    def serve(one: socket.socket) -> None:
        one.recv(4096)
        time.sleep(wait_s)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        one.sendall(head.encode())
        if body_s:
            one.sendall(body[:1])
            time.sleep(body_s)
        one.sendall(body)

    return serve


def silent(one: socket.socket) -> None:
    """Accepts, reads, and never answers."""
    time.sleep(20)


def reset(one: socket.socket) -> None:
    """Ends the connection with a reset."""
    one.recv(4096)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def eof(one: socket.socket) -> None:
    """Ends the connection without a word."""
    one.recv(4096)


@dataclass
class Faults:
    """The servers; `url(name)` and `port(name)` say where each is."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    kept: list[socket.socket] = field(default_factory=list)

    def serve(self, name: str, how: Serve, *, tls: bool = False) -> None:
        """One more server, a thread for each connection."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.kept.append(listener)
        self.ports[name] = listener.getsockname()[1]
        context = self._context() if tls else None
        threading.Thread(target=_accept, args=(listener, how, context), daemon=True).start()

    def refused(self, name: str) -> None:
        """A port on which nobody listens."""
        with socket.create_server(("127.0.0.1", 0)) as gone:
            self.ports[name] = gone.getsockname()[1]

    def full_queue(self, name: str) -> None:
        """A listener that never accepts and whose queue is full: the kernel drops what comes."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.ports[name] = listener.getsockname()[1]
        self.kept.append(listener)
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", self.ports[name]))
            self.kept.append(one)
        time.sleep(0.2)

    def never_accepted(self, name: str) -> None:
        """A listener with room in its queue whose process never accepts, as a frozen one."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=20)
        self.kept.append(listener)
        self.ports[name] = listener.getsockname()[1]

    def url(self, name: str, scheme: str = "http") -> str:
        """Where it is."""
        return f"{scheme}://127.0.0.1:{self.ports[name]}/"

    @property
    def authority(self) -> Path:
        """The certificate that signs itself."""
        if not (self.folder / "ca.pem").exists():
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / "key.pem",
                 "-out", self.folder / "ca.pem", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=IP:127.0.0.1"],
                check=True, capture_output=True,
            )  # fmt: skip
        return self.folder / "ca.pem"

    def _context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.authority, self.folder / "key.pem")
        return made


def _accept(listener: socket.socket, how: Serve, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            one, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_one, args=(one, how, context), daemon=True).start()


def _one(one: socket.socket, how: Serve, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), one:
        how(context.wrap_socket(one, server_side=True) if context else one)


@contextlib.contextmanager
def faults(folder: Path) -> Iterator[Faults]:
    """Every case of the table."""
    made = Faults(folder)
    made.serve("fast", answer("200 OK"))
    made.serve("slow", answer("200 OK", wait_s=1.5))
    made.serve("too slow", answer("200 OK", wait_s=20))
    made.serve("silent", silent)
    made.serve("reset", reset)
    made.serve("eof", eof)
    made.serve("slow body", answer("200 OK", b"x" * 50, body_s=20))
    for status in ("503 Service Unavailable", "404 Not Found", "401 Unauthorized"):
        made.serve(status[:3], answer(status))
    made.serve("tls", answer("200 OK"), tls=True)
    made.refused("refused")
    made.full_queue("full queue")
    made.never_accepted("never accepted")
    made.serve("loop", answer("302 Found", headers="Location: /\r\n"))
    try:
        yield made
    finally:
        for one in made.kept:
            one.close()
