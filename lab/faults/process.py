"""A process that stands still for a while, or gets little of the CPU."""

import contextlib
import os
import signal
from collections.abc import Iterator

from lab.stage.programs import Stage
from lab.stage.sweep import CPU


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """SIGSTOP now, SIGCONT at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def starved(stage: Stage, pid: int, percent: int) -> Iterator[None]:
    """The process gets so many percent of one CPU, by a control group that is named after the stage."""
    group = CPU / stage.folder.name
    group.mkdir(exist_ok=True)
    (group / "cpu.cfs_period_us").write_text("100000")
    (group / "cpu.cfs_quota_us").write_text(str(percent * 1000))
    (group / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        (CPU / "cgroup.procs").write_text(str(pid))
        group.rmdir()
