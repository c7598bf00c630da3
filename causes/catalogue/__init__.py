"""The catalogue: one file per cause, found by walking this package."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from causes.cause import Cause


@cache
def all_causes() -> Mapping[str, Cause]:
    """Every cause by its slug, in slug order. Raises ValueError when two files have one slug."""
    found: dict[str, Cause] = {}
    for module in iter_modules(__path__):
        cause: Cause = import_module(f"{__name__}.{module.name}").CAUSE
        if cause.slug in found:
            raise ValueError(f"two files of the catalogue have the slug {cause.slug}")
        found[cause.slug] = cause
    return MappingProxyType(dict(sorted(found.items())))


def is_kind_of(slug: str, wider: str) -> bool:
    """Whether a cause is one kind of a wider one."""
    cause = all_causes().get(slug)
    return cause is not None and bool(wider) and cause.narrows == wider
