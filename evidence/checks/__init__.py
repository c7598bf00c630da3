"""Checks, one file per question, found by walking this package."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evidence.check import Check, Measure


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, in order of its slug."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return tuple(sorted((m.CHECK for m in modules if hasattr(m, "CHECK")), key=lambda c: c.slug))


@cache
def all_measures() -> dict[str, Measure]:
    """Every measure by its slug."""
    return {measure.slug: measure for check in all_checks() for measure in check.measures}
