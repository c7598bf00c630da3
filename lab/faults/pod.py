"""Faults in one pod from outside its program: in its network namespace."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

from lab.stage.programs import StageBroken


@contextlib.contextmanager
def filtered(pid: int, *rule: str, chain: str = "INPUT") -> Iterator[None]:
    """Insert an iptables rule at the head of a chain in the network namespace of `pid`."""
    _iptables(pid, "-I", chain, rule)
    try:
        yield
    finally:
        with contextlib.suppress(StageBroken):  # the pod may be gone
            _iptables(pid, "-D", chain, rule)


def _iptables(pid: int, verb: str, chain: str, rule: Sequence[str]) -> None:
    done = subprocess.run(["nsenter", "-t", str(pid), "-n", "iptables", "-w", verb, chain, *rule],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise StageBroken(f"iptables {verb} {' '.join(rule)}: {done.stderr}")
