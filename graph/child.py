"""Runs a program that ends when its parent process ends.

Run as a script, `python -I child.py <parent pid> <program> <argument>...`. The product imports it for its path, and
for `tie_to_parent`, which does the same for a fork.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie_to_parent(parent: int) -> bool:
    """Ask the kernel for SIGTERM when the parent ends; False if the parent has ended already.

    Only Linux can do this. Elsewhere an orphan goes on running and the next start adopts it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


if __name__ == "__main__":
    # If the parent ended before prctl was called, no signal will come.
    if not tie_to_parent(int(sys.argv[1])):
        sys.exit("the process that started this one is gone")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
