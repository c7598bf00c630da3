"""A real web server against senders that stop in the middle: they lose their connection, nobody else is held up."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml

from config.supervisor import web_argv
from config.web_worker import PACE

ROOT = Path(__file__).parents[2]
CLASS = "config.web_worker.PacedWorker"
THREADS = 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "tests.config.slow_app", "--bind", f"127.0.0.1:{port}", "--worker-class",
            "tests.config.slow_app.QuickWorker", "--threads", str(THREADS), "--log-level", "warning"]  # fmt: skip
    child = subprocess.Popen(argv, cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while asked(port) != 200:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.1)
        yield port
    finally:
        child.terminate()
        child.wait(20)


def asked(port: int) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=20, trust_env=False).status_code
    except httpx.ConnectError:
        return 0


def connected(port: int, said: bytes, *, window: int = 0) -> socket.socket:
    made = socket.socket()
    if window:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.settimeout(20)
    made.connect(("127.0.0.1", port))
    made.sendall(said)
    return made


HALF = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
}


@pytest.mark.parametrize("said", HALF.values(), ids=HALF)
def test_whoever_stops_in_the_middle_is_cut_off_and_holds_up_nobody_else(server: int, said: bytes) -> None:
    began = time.monotonic()
    with ExitStack() as held:
        slow = [held.enter_context(connected(server, said)) for _ in range(10 * THREADS)]
        assert asked(server) == 200
        assert time.monotonic() - began < 10, "they were waited for one after the other"
        for one in slow:
            while one.recv(4096):
                pass


def test_whoever_trickles_is_cut_off_too(server: int) -> None:
    with connected(server, HALF["half a body"]) as slow, pytest.raises(OSError):
        for _ in range(100):
            slow.sendall(b"x")
            time.sleep(0.1)
        pytest.fail("a byte now and then kept the thread")


def test_whoever_does_not_read_the_answer_is_cut_off(server: int) -> None:
    with ExitStack() as held:
        for _ in range(2 * THREADS):
            held.enter_context(connected(server, b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n", window=4096))
        assert asked(server) == 200


def test_whoever_keeps_the_pace_may_take_longer_than_the_grace(server: int) -> None:
    size, parts = 40 * PACE // 10, 20
    with connected(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size) as steady:
        for _ in range(parts):
            steady.sendall(b"x" * (size // parts))
            time.sleep(0.1)
        steady.sendall(b"x" * (size % parts))
        said = b""
        while not said.endswith(b"%d" % size) and (part := steady.recv(4096)):
            said += part
        assert said.startswith(b"HTTP/1.1 200 OK") and said.endswith(b"\r\n\r\n%d" % size)


def test_an_end_that_the_other_side_does_not_answer_holds_up_nobody(server: int) -> None:
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(connected(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        began = time.monotonic()
        assert asked(server) == 200
        assert time.monotonic() - began < 8, "each waited two seconds for its end, one after the other"


def test_it_is_what_serves_everywhere() -> None:
    assert CLASS in web_argv("127.0.0.1", 1)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert CLASS in compose["services"]["web"]["command"]
