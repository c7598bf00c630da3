"""Removes what a stage left behind: `python -m lab.stage.sweep FOLDER` waits until its owner ends, then sweeps.

Container shims outlive containerd and children of shims outlive the shim, so a parent-death signal is not enough.
Only processes that name the stage's own scratch folder, and their children, are ended.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

BRIDGE = "ig-lab0"


def _processes() -> dict[int, tuple[int, str]]:
    """Every process: its parent and its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (OSError, ValueError):
                continue
            found[int(entry.name)] = (parent, line)
    return found


def _works_in(pid: int, folder: Path) -> bool:
    """Whether the process's working directory is the folder or in it."""
    try:
        where = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return f"{where}/".startswith(f"{folder}/")


def sweep(folder: Path) -> None:
    """Kills the folder's processes and their children, unmounts what is mounted in it and removes it."""
    mine = _processes_of(folder)
    for pid in sorted(mine - {os.getpid(), os.getppid()}):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.3 if mine else 0)
    _unmount(folder)
    if (folder / "cni").exists():  # it was a node, whose bridge outlives it
        subprocess.run(["ip", "link", "del", BRIDGE], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> set[int]:
    """Processes that name the folder or work in it, and their children."""
    everything = _processes()
    mine = {pid for pid, (_, line) in everything.items() if str(folder) in line and "lab.stage.sweep" not in line}
    # A program that was started a moment before its owner was killed has no parent-death signal yet.
    mine |= {pid for pid in everything if _works_in(pid, folder)}
    return mine | {pid for pid, (parent, _) in everything.items() if parent in mine}


def _unmount(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)


if __name__ == "__main__":
    sys.stdin.read()
    sweep(Path(sys.argv[1]))
