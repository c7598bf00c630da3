"""The broker is private and ends with its parent; one folder is served once."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from config import engines
from config.supervisor import Supervisor
from domain.errors import ProductError


def until(condition: object, limit_s: float = 20) -> bool:
    end = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_second_start_on_the_same_folder_says_so(tmp_path: Path, settings: Settings) -> None:
    settings.INCIDENT_GRAPH_HOME = tmp_path
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ProductError, match="already served by another `up`"):
            Supervisor("127.0.0.1", 1).start()


def test_the_broker_is_on_a_private_socket_and_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    pipe = engines.socket_folder(tmp_path) / "redis.sock"
    code = (
        "import subprocess, sys, time; from pathlib import Path; from config import engines;"
        "subprocess.Popen(engines.owned(engines.redis_argv(Path(sys.argv[1]), Path(sys.argv[2])))); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(pipe)])
    try:
        assert until(lambda: pipe.exists() and engines.redis_answers(pipe))
        assert pipe.stat().st_mode & 0o077 == 0
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert until(lambda: not pipe.exists() or not engines.redis_answers(pipe))


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    folder = engines.socket_folder(tmp_path / ("deep" * 30))
    assert len(str(folder / "redis.sock")) <= engines.SOCKET_LIMIT and folder.stat().st_mode & 0o077 == 0


def test_what_is_written_for_others_to_find_is_private(tmp_path: Path) -> None:
    engines.write_private(tmp_path / "graph.json", {"uri": "bolt://127.0.0.1:1"})
    assert (tmp_path / "graph.json").stat().st_mode & 0o777 == 0o600
