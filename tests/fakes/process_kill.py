"""Runs a piece of work in a process of its own that a fake kills at any outgoing call, as a power cut would."""

import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connections

from tests.fakes.server import Fake, Fault


def in_a_process(work: Callable[[], object], before: Callable[[int], None] = lambda pid: None) -> int:
    """Forks, runs `work`, waits; the exit status (negative: the signal). `before` learns the child's id first.

    The record must be a file that both see: mark the test with `django_db(transaction=True)`.
    """
    child = _forked(work)
    before(child.pid)
    return child.ended()


def at_the_same_time(works: Sequence[Callable[[], object]]) -> list[int]:
    """Each work in a process of its own, let go together; their exit statuses."""
    children = [_forked(work) for work in works]
    for child in children:
        child.go()
    return [child.ended() for child in children]


@dataclass(slots=True)
class _Child:
    """A forked process that waits to be let go."""

    pid: int
    gate: int
    gone: bool = False

    def go(self) -> None:
        if not self.gone:
            os.write(self.gate, b"g")
            os.close(self.gate)
            self.gone = True

    def ended(self) -> int:
        self.go()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _forked(work: Callable[[], object]) -> _Child:
    connections.close_all()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.read(read, 1)
            work()
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    os.close(read)
    return _Child(pid, write)


def killed_at(fake: Fake, number: int, work: Callable[[], object], *, after_commit: bool) -> bool:
    """Runs the work in a process that dies at its call `number` from here; whether it came that far."""
    fake.forget_calls()

    def order(pid: int) -> None:
        fake.rule(Fault(kill=pid, kill_after_commit=after_commit), lambda call: call.number == number, times=1)

    died = in_a_process(work, order) == -9
    fake.heal()
    return died
