"""What was asked and read already within one investigation; several checks want the same series, and the same pods."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Memo:
    """Answers by question. An error is not kept: it is cheap to meet again, as the transport knows it."""

    kept: dict[tuple[str, ...], Any] = field(default_factory=dict)
    turns: dict[tuple[str, ...], threading.Lock] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, key: tuple[str, ...], ask: Callable[[], T]) -> T:
        """The answer to that question; one check asks, the others wait for what it reads."""
        with self.lock:
            turn = self.turns.setdefault(key, threading.Lock())
        with turn:
            if key not in self.kept:
                self.kept[key] = ask()
            found: T = self.kept[key]
            return found
