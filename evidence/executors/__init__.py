"""Executors: programs beside plain HTTP that may ask an etcd cluster, found by walking this package. None writes."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evidence.executors.executor import Executor


@cache
def all_executors() -> dict[str, Executor]:
    """Every executor by the word that `executor = "..."` names it with."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    found = [m.EXECUTOR for m in modules if hasattr(m, "EXECUTOR")]
    return {executor.slug: executor for executor in sorted(found, key=lambda e: e.slug)}
