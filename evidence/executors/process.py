"""Runs one program without a shell, with a clean environment, a hard time limit and a cap on its output."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from domain.errors import Refused
from evidence.executors.executor import LIMIT_S, Ran

STDOUT_LIMIT, STDERR_LIMIT = 1024 * 1024, 16 * 1024
CLEAN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def run(argv: Sequence[str], env: Mapping[str, str], folder: str, limit_s: float = LIMIT_S) -> Ran:
    """The program's end, or its kill together with everything that it started.

    `env` comes on top of a small clean environment; `folder` is where it runs. Raises Refused when it cannot start.
    """
    started = time.time()
    try:
        child = subprocess.Popen(
            list(argv), env=CLEAN | {"HOME": folder} | dict(env), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise Refused(f"{argv[0]} cannot be started ({error.strerror}); correct its path") from error
    try:
        out, err, why = _read_outputs(child, started + limit_s)
        if not why:
            why = _ended(child, started + limit_s)
    finally:
        _kill(child)
    rc = None if why else child.returncode
    took = int((time.time() - started) * 1000)
    complaint = why or ("" if rc == 0 else _last_line(err))
    return Ran(tuple(argv), rc, out.decode("utf-8", "replace"), complaint, int(started * 1000), took)


def _read_outputs(child: "subprocess.Popen[bytes]", until: float) -> tuple[bytes, bytes, str]:
    """Both outputs until they end, and why reading stopped early."""
    assert child.stdout and child.stderr  # noqa: S101 - both are pipes by the call above
    kept: dict[IO[bytes], bytearray] = {child.stdout: bytearray(), child.stderr: bytearray()}
    limits = {child.stdout: STDOUT_LIMIT, child.stderr: STDERR_LIMIT}
    why = ""
    with selectors.DefaultSelector() as waiting:
        for pipe in kept:
            waiting.register(pipe, selectors.EVENT_READ, pipe)
        while waiting.get_map() and not why:
            ready = waiting.select(max(0.0, until - time.time()))
            if not ready:
                why = "it was killed at its time limit"
            for key, _ in ready:
                pipe = key.data
                if not (part := os.read(key.fd, 65536)):
                    waiting.unregister(pipe)
                    continue
                kept[pipe] += part[: limits[pipe] - len(kept[pipe])]
                if pipe is child.stdout and len(kept[pipe]) >= STDOUT_LIMIT:
                    why = f"it was killed for saying more than {STDOUT_LIMIT} bytes"
    return bytes(kept[child.stdout]), bytes(kept[child.stderr]), why


def _ended(child: "subprocess.Popen[bytes]", until: float) -> str:
    """Waits for the end of a program that has closed its outputs."""
    try:
        child.wait(max(0.05, until - time.time()))
    except subprocess.TimeoutExpired:
        return "it was killed at its time limit"
    return ""


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """Ends the whole process group, and children that made a group of their own; harmless when all are gone."""
    for pid in _descendants(child.pid) if child.poll() is None else ():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()


def _descendants(pid: int) -> list[int]:
    """All children and theirs, where the system has /proc; elsewhere the process group has to do."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything, also spaces and brackets.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
