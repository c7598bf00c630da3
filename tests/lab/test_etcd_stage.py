"""What an etcd stage is made of: a link that is late alone, and releases that are what they are called."""

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.stage.dialers import dialer
from lab.stage.images import NEEDED, PROGRAMS
from lab.stage.proxies import Proxies
from lab.stage.proxy import DelayingProxy
from lab.stage.releases import DEBIAN, PINNED


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def echoing(listener: socket.socket) -> int:
    """Sends back what comes in; the port."""

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=lambda p=peer: [p.sendall(d) for d in iter(lambda: p.recv(99), b"")]).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def round_trip(connection: socket.socket) -> float:
    """Seconds from sending to the answer."""
    began = time.monotonic()
    connection.sendall(b"ping")
    assert connection.recv(99) == b"ping"
    return time.monotonic() - began


def test_the_user_that_opened_a_connection_is_named(listener: socket.socket) -> None:
    to = int(listener.getsockname()[1])
    with socket.create_connection(("127.0.0.1", to)) as connection:
        port = connection.getsockname()[1]
        assert dialer(port, to) == str(os.geteuid())
    assert dialer(1, to) == ""


def test_proxies_of_another_process_delay_as_requested(listener: socket.socket) -> None:
    proxies = Proxies()
    link = proxies.open(echoing(listener))
    with socket.create_connection(("127.0.0.1", link.port)) as connection:
        assert round_trip(connection) < 0.1
        link.set_for(os.geteuid(), 0.1)
        assert 0.2 <= round_trip(connection) < 0.4
        link.set(0.0)
        assert round_trip(connection) < 0.1
        proxies.close()
        assert connection.recv(9) == b""


def test_one_dialers_link_is_late_and_anothers_is_not(listener: socket.socket) -> None:
    names = iter(["near", "far"])
    proxy = DelayingProxy(echoing(listener), lambda *_: next(names))
    with ExitStack() as stack:
        near, far = (stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port))) for _ in range(2))
        assert round_trip(near) < 0.1 and round_trip(far) < 0.1
        proxy.set_for("far", 0.1)
        assert round_trip(near) < 0.1
        assert 0.2 <= round_trip(far) < 0.4
        proxy.set(0.0)
        assert round_trip(far) < 0.1
    proxy.close()


@pytest.mark.parametrize(("program", "module", "version", "versions"), [
    ("etcd36", "go.etcd.io/etcd/server/v3", "v3.6.5", "etcd 3.6.5"),
    ("etcdctl36", "go.etcd.io/etcd/etcdctl/v3", "v3.6.5", "etcd 3.6.5"),
    ("prometheus3", "github.com/prometheus/prometheus", "v0.305.0", "Prometheus 3.5.0"),
    ("alertmanager28", "github.com/prometheus/alertmanager", "v0.28.1", "Alertmanager 0.28.1"),
])  # fmt: skip
def test_a_pinned_program_is_the_version_that_bundles_name(
    program: str, module: str, version: str, versions: str
) -> None:
    folder, _ = NEEDED[program]
    assert folder.parent == PROGRAMS
    assert re.search(rf"^(require )?\s*{re.escape(module)} {re.escape(version)}$",
                     (folder / "go.mod").read_text(), re.MULTILINE)  # fmt: skip
    assert (folder / "go.sum").stat().st_size > 1000
    assert versions in PINNED.versions()


def test_a_stage_on_packages_needs_nothing_built() -> None:
    assert not {DEBIAN.etcd, DEBIAN.etcdctl, DEBIAN.prometheus, DEBIAN.alertmanager} & set(NEEDED)
    assert {PINNED.etcd, PINNED.etcdctl, PINNED.prometheus, PINNED.alertmanager} <= set(NEEDED)


def test_programs_that_are_pinned_lie_in_folders_of_their_own() -> None:
    assert {Path(folder).name for name, (folder, _) in NEEDED.items() if name in {"prometheus3", "alertmanager28"}} == {
        "prometheus3", "alertmanager28",
    }  # fmt: skip
