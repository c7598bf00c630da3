"""A real web server against senders that stop in the middle: they lose their connection, nobody else is held up."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest
import yaml

from config.supervisor import web_argv
from config.web_server import LIMITS, PACE

ROOT = Path(__file__).parents[2]
SERVER = "config.web_server"
THREADS = LIMITS["threads"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@contextmanager
def started(processes: int = 1) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Port and parent process of a server with short patience."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.config.slow_app", "--app", "tests.config.slow_app", "--port", str(port),
            "--processes", str(processes)]  # fmt: skip
    child = subprocess.Popen(argv, cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while asked(port) != 200:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.1)
        yield port, child
    finally:
        child.terminate()
        child.wait(20)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with started() as (port, _):
        yield port


def asked(port: int) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=20, trust_env=False).status_code
    except httpx.ConnectError:
        return 0


def connected(port: int, data: bytes, *, window: int = 0) -> socket.socket:
    made = socket.socket()
    if window:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.settimeout(20)
    made.connect(("127.0.0.1", port))
    made.sendall(data)
    return made


HALF = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
}


@pytest.mark.parametrize("beginning", HALF.values(), ids=HALF)
def test_whoever_stops_in_the_middle_is_cut_off_and_holds_up_nobody_else(server: int, beginning: bytes) -> None:
    began = time.monotonic()
    with ExitStack() as held:
        slow = [held.enter_context(connected(server, beginning)) for _ in range(10 * THREADS)]
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
        answer = b""
        while not answer.endswith(b"%d" % size) and (part := steady.recv(4096)):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200 OK") and answer.endswith(b"\r\n\r\n%d" % size)


def test_an_end_that_the_other_side_does_not_answer_holds_up_nobody(server: int) -> None:
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(connected(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        began = time.monotonic()
        assert asked(server) == 200
        assert time.monotonic() - began < 8, "each waited two seconds for its end, one after the other"


def test_who_reads_too_slowly_loses_the_connection_and_frees_the_thread_that_waits_for_it(server: int) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(connected(server, b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n", window=4096))
                for _ in range(2 * THREADS)]  # fmt: skip
        assert asked(server) == 200
        time.sleep(2)
        slow[0].settimeout(5)
        with suppress(ConnectionResetError):  # a timeout says that it is still held
            while slow[0].recv(65536):
                pass


def test_hundreds_of_slow_senders_hold_up_nobody(server: int) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(connected(server, HALF["half a body"])) for _ in range(300)]
        began = time.monotonic()
        for _ in range(20):
            assert asked(server) == 200
        assert time.monotonic() - began < 60  # one that is held up never ends
        slow[0].sendall(b"x")


def test_halves_of_long_bodies_get_only_so_much_room_together(server: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
    with connected(server, head + b"x" * 900_000) as one, connected(server, head + b"x" * 1_500_000) as most:
        with suppress(ConnectionResetError):
            while most.recv(4096):
                pass
        one.sendall(b"x" * 2_100_000)
        assert one.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_a_body_in_chunks_comes_whole(server: int) -> None:
    parts = (b"a" * 1000 for _ in range(70))
    assert httpx.post(f"http://127.0.0.1:{server}/", content=parts, timeout=20, trust_env=False).text == "70000"


def test_a_body_that_is_too_large_is_refused_although_it_is_not_read(server: int) -> None:
    size = 3 * LIMITS["max_request_body_size"]
    answer = httpx.post(f"http://127.0.0.1:{server}/", content=b"x" * size, timeout=20, trust_env=False)
    assert answer.status_code == 413
    head = {"X-Long": "x" * LIMITS["max_request_header_size"]}
    assert httpx.get(f"http://127.0.0.1:{server}/", headers=head, timeout=20, trust_env=False).status_code == 431


def test_who_is_being_answered_gets_the_answer_when_the_server_stops() -> None:
    with started() as (port, parent):
        got: list[int] = []
        url = f"http://127.0.0.1:{port}/slow"
        asking = Thread(target=lambda: got.append(httpx.get(url, timeout=20, trust_env=False).status_code))
        asking.start()
        time.sleep(0.5)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(10) == 0
        asking.join(10)
        assert got == [200]
        assert asked(port) == 0


def test_a_process_that_dies_is_replaced_and_none_outlives_the_first() -> None:
    with started(processes=2) as (port, parent):
        first = psutil.Process(parent.pid).children()
        assert len(first) == 2
        os.kill(first[0].pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while first[0] in (now := psutil.Process(parent.pid).children()) or len(now) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert asked(port) == 200
        parent.kill()
        parent.wait()
        gone, alive = psutil.wait_procs(now, 10)
        assert len(gone) == 2 and not alive


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        argv = [sys.executable, "-m", SERVER, "--app", "tests.config.slow_app", "--port", str(port)]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"cannot listen on 127.0.0.1 port {port}" in done.stderr


def test_it_is_what_serves_everywhere() -> None:
    assert SERVER in web_argv("127.0.0.1", 1)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert SERVER in compose["services"]["web"]["command"]
