"""A scratch PostgreSQL server on loopback."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.stage.programs import free_port

START_S = 60


def _bin() -> Path:
    """The folder of the newest installed server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return folders[-1] if folders else Path(shutil.which("postgres") or pytest.skip("no PostgreSQL here")).parent


def _as_owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


@contextmanager
def running_postgresql() -> Iterator[str]:
    """A fresh server on loopback; its URL. Gone with its data afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ig-postgresql-"))
    (folder / "password").write_text("scratch")
    if os.getuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres", "postgres")
    data, programs, port = folder / "data", _bin(), free_port()
    subprocess.run(
        [*_as_owner(), programs / "initdb", "-D", data, "-U", "record", "-A", "scram-sha-256", "-E", "UTF8",
         "--locale=C.UTF-8", f"--pwfile={folder / 'password'}"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*_as_owner(), programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port),
             "-c", "unix_socket_directories="],
            stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + START_S
            ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, capture_output=True, check=False).returncode:
                assert server.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"postgresql://record:scratch@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # the fast shutdown: clients are not waited for
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)
