"""Alert sources, one file each, found by walking this package."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from ingest.sources.source import AlertSource


@cache
def all_sources() -> dict[str, AlertSource]:
    """Every source by its kind."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    sources = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.kind: source for source in sorted(sources, key=lambda s: s.kind)}
