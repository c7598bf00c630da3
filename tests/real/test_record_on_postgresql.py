"""The record's and the doors' own tests once more, on a scratch PostgreSQL server."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
START_S = 60


def _bin() -> Path:
    """The folder of the newest installed server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return folders[-1] if folders else Path(shutil.which("postgres") or pytest.skip("no PostgreSQL here")).parent


def _as_owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="ig-postgresql-"))
    (folder / "password").write_text("scratch")
    if os.getuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres", "postgres")
    data, programs, port = folder / "data", _bin(), _free_port()
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
            server.terminate()
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def test_the_record_and_the_doors_pass_their_own_tests_on_postgresql(database_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "INCIDENT_GRAPH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/incidents", "tests/ingest", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "passed" in done.stdout or "[100%]" in done.stdout
