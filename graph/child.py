"""Becomes a child that ends with its parent: ties itself to the parent's life, then turns into the given program.

Run as a script, `python -I child.py <parent pid> <program> <argument>...`; the product imports it for its path, and
to tie a fork to its parent.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie_to_parent(parent: int) -> bool:
    """Ask the kernel for SIGTERM when the parent ends; False if the parent is gone already.

    Only Linux can do this. Elsewhere an orphan stays and the next start adopts it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


if __name__ == "__main__":
    # The parent may have died before prctl was reached: then no signal will ever come.
    if not tie_to_parent(int(sys.argv[1])):
        sys.exit("the process that started this one is gone")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
