"""Turns the report into each target's form: escaped for it, and never longer than it allows."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from tickets.render.form import LIMIT, Form
from tickets.report import Report, shortened

__all__ = ["LIMIT", "Content", "Form", "formats", "render"]

Content = str | dict[str, Any]


@cache
def formats() -> dict[str, Form]:
    """Every form by its name, found by walking this package."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    forms = [module.FORM for module in modules if hasattr(module, "FORM")]
    return {form.name: form for form in sorted(forms, key=lambda f: f.name)}


def render(report: Report, format: str, language: str = "en", limit: int | None = None) -> Content:
    """The report as text, or as a JSON document for `adf`, `json` and `slack`.

    `limit` is in the form's own unit and its own by default; whole items are dropped to keep it. Title, headline and
    link stay in any case: they fit into the limit of every form. Raises KeyError for an unknown format.
    """
    form = formats()[format]
    room = form.limit if limit is None else limit
    content: Content = form.render(report, language)
    return content if form.size(content) <= room else _longest(report, form, language, room)


def _longest(report: Report, form: Form, language: str, room: int) -> Content:
    """The longest shortening that fits, found by halving: each rendering costs about as much as the first."""
    versions = [report]
    while (less := shortened(versions[-1])) is not None:
        versions.append(less)
    low, high = 0, len(versions) - 1
    best: Content = form.render(versions[high], language)
    while high - low > 1:
        middle = (low + high) // 2
        content = form.render(versions[middle], language)
        if form.size(content) <= room:
            high, best = middle, content
        else:
            low = middle
    return best
