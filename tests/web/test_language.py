"""Every sentence of the pages has its Chinese."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

from django.utils.translation.template import templatize

WEB = Path(__file__).parents[2] / "web"
FUNCTIONS = {"gettext", "_", "ngettext"}
CALL = re.compile(r"\b(?:gettext|ngettext|_)\((u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\")")


def of_templates() -> Iterator[tuple[str, str]]:
    """Where and what: `translate` and `blocktranslate`, as Django's own extraction reads them."""
    for path in sorted(WEB.rglob("*.html")):
        for found in CALL.finditer(templatize(path.read_text(), origin=str(path))):
            yield path.name, ast.literal_eval(found[1].lstrip("u")).replace("%%", "%")


def of_modules() -> Iterator[tuple[str, str]]:
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in FUNCTIONS and isinstance(node.args[0], ast.Constant):
                yield path.name, str(node.args[0].value)


def test_every_sentence_of_templates_and_modules_has_its_chinese():
    with (WEB.parent / "locale/zh_Hans/LC_MESSAGES/django.mo").open("rb") as file:
        known = {key[0] if isinstance(key, tuple) else key for key in GNUTranslations(file)._catalog}
    asked = [*of_templates(), *of_modules()]
    assert len(asked) > 150
    assert [f"{where}: {text}" for where, text in asked if text not in known] == []
