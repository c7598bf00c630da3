"""Identifies and ends processes that this program did not start itself."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of a living process; empty if there is none, or it is only a zombie."""
    proc = Path("/proc")
    if (proc / "self").exists():
        return _from_proc(proc / str(pid))
    shown = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, check=False)
    return shown.stdout.decode(errors="replace").strip()


def _from_proc(folder: Path) -> str:
    try:
        # The state follows the name, which is in brackets and may contain brackets.
        if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return ""
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def end(pid: int, is_ours: Callable[[], bool], patience_s: float) -> bool:
    """Send SIGTERM, then SIGKILL after `patience_s` seconds; whether the process ended.

    `is_ours` is checked before each signal, as the pid may belong to another process by then.
    """
    for signum, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        if not is_ours():
            return True
        try:
            os.kill(pid, signum)
        except OSError:
            return not is_ours()
        if wait_until(lambda: not is_ours(), wait_s):
            return True
    return False


def wait_until(condition: Callable[[], bool], limit_s: float, pause_s: float = 0.05) -> bool:
    """Check the condition every `pause_s` seconds; whether it became true within `limit_s` seconds."""
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(pause_s)
    return True
