"""Turns the report into each target's form: escaped for it, and never longer than it allows."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from tickets.render.form import Form
from tickets.report import Report, shortened

# Jira refuses a comment above 32,767 characters; what is left is room for what Jira adds.
LIMIT = 25_000

Content = str | dict[str, Any]


def formats() -> dict[str, Form]:
    """Every form by its name, found by walking this package."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    forms = [module.FORM for module in modules if hasattr(module, "FORM")]
    return {form.name: form for form in sorted(forms, key=lambda f: f.name)}


def render(report: Report, format: str, language: str = "en", limit: int = LIMIT) -> Content:
    """The report as text, or as a JSON document for `adf` and `json`.

    `limit` is in characters as the target counts them; whole items are dropped to keep it.
    Raises KeyError for an unknown format.
    """
    form = formats()[format]
    content: Content = form.render(report, language)
    while form.size(content) > limit and (less := shortened(report)) is not None:
        report = less
        content = form.render(report, language)
    return content
