"""What was asked and read already within one investigation; several checks want the same series."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from evidence.clients.prometheus import Answered


@dataclass(slots=True)
class Memo:
    """Answers by question. An error is not kept: it is cheap to meet again, as the transport knows it."""

    kept: dict[tuple[str, ...], Answered] = field(default_factory=dict)
    turns: dict[tuple[str, ...], threading.Lock] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, key: tuple[str, ...], ask: Callable[[], Answered]) -> Answered:
        """The answer to that question; one check asks, the others wait for what it reads."""
        with self.lock:
            turn = self.turns.setdefault(key, threading.Lock())
        with turn:
            if key not in self.kept:
                self.kept[key] = ask()
            return self.kept[key]
