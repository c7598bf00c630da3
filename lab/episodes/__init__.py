"""The declared episodes: each module here has a tuple EPISODES."""

import functools
import importlib
import pkgutil

from lab.episode import Episode


@functools.cache
def all_episodes() -> dict[str, Episode]:
    """Every declared episode by name."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    return {e.name: e for module in modules for e in getattr(module, "EPISODES", ())}
