"""How a declaration of the field becomes an episode: one function on a ground, and the slugs that are right."""

import random
from collections.abc import Callable
from typing import Any

from lab.episode import Episode, Setting
from lab.field.ground import ALERTS, BOTH, EVENTS, Ground

Play = Callable[[Ground], Setting]
# Causes that are true of a declaration and that the catalogue may not have yet; a slug that is in neither is an error.
EXPECTED = frozenset({"workers-busy"})
ANYWHERE = (EVENTS, ALERTS, BOTH)


class Declared:
    """Collects the declarations of one module, in their order."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._found: list[Episode] = []

    def __call__(
        self, title: str, *accept: str, sources: tuple[str, ...] = ANYWHERE, family: str = "", central: bool = False
    ) -> Callable[[Play], Play]:
        """Declare the function below; `accept` are the slugs that are right, best first.

        With `central` it is seen by a Prometheus of two clusters.
        """

        def declare(play: Play) -> Play:
            def on_pool(pool: Any, _: Any, draw: random.Random) -> Setting:
                return play(pool.ground(draw, accept, sources, central=central))

            on_pool.__doc__ = play.__doc__
            cause = "" if accept[0] == "unknown" else accept[0]
            self._found.append(Episode(
                f"field-{play.__name__.replace('_', '-')}", title, on_pool, cause, family or self._family,
                node=True, in_field=True, accept=accept,
            ))  # fmt: skip
            return play

        return declare

    def episodes(self) -> tuple[Episode, ...]:
        """All that were declared."""
        return tuple(self._found)
