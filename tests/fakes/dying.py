"""Runs a piece of work in a process of its own that a fake kills at any outgoing call, as a power cut would."""

import os
import traceback
from collections.abc import Callable

from django.db import connections

from tests.fakes.server import Fake, Fault


def in_a_process(work: Callable[[], object], before: Callable[[int], None] = lambda pid: None) -> int:
    """Forks, runs `work`, waits; the exit status (negative: the signal). `before` learns the child's id first.

    The record must be a file that both see: use the fixture `transactional_db`.
    """
    connections.close_all()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(read, 1)
        try:
            work()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    before(pid)
    os.write(write, b"g")
    _, status = os.waitpid(pid, 0)
    os.close(read)
    os.close(write)
    return os.waitstatus_to_exitcode(status)


def killed_at(fake: Fake, number: int, work: Callable[[], object], *, after_commit: bool) -> bool:
    """Runs the work in a process that dies at its call `number` from here; whether it came that far."""
    fake.forget_calls()

    def order(pid: int) -> None:
        fake.rule(Fault(kill=pid, kill_after_commit=after_commit), lambda call: call.number == number, times=1)

    died = in_a_process(work, order) == -9
    fake.heal()
    return died
