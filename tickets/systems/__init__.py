"""Ticket systems and chats, one file each, found by walking this package."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from tickets.system import System


@cache
def all_systems() -> dict[str, System]:
    """Every system by its kind, in order of the kind."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    systems = [module.SYSTEM for module in modules if hasattr(module, "SYSTEM")]
    return {system.kind: system for system in sorted(systems, key=lambda s: s.kind)}
