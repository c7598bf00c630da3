"""Faults in one pod from outside its program: its network namespace, and its process."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence

from lab.stage.programs import StageBroken


@contextlib.contextmanager
def filtered(pid: int, *rule: str) -> Iterator[None]:
    """An iptables rule at the head of INPUT in the network namespace that `pid` lives in."""
    _iptables(pid, "-I", rule)
    try:
        yield
    finally:
        with contextlib.suppress(StageBroken):  # the pod may be gone
            _iptables(pid, "-D", rule)


def _iptables(pid: int, verb: str, rule: Sequence[str]) -> None:
    told = subprocess.run(["nsenter", "-t", str(pid), "-n", "iptables", "-w", verb, "INPUT", *rule],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if told.returncode:
        raise StageBroken(f"iptables {verb} {' '.join(rule)}: {told.stderr}")


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP now, SIGCONT at the end if it still lives."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
