"""Brings the catalogues in step with the sources: `python locale/update.py` (`--check` only tells).

What a sentence needs is added without a translation, what nothing says any more is taken out, and each `.mo` file is
written anew from its `.po` file. Babel reads and writes both.
"""

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[1]
APART = {".venv", "build", "locale", "tests", "var"}
# The letters that stand for something in next steps, where their words have a translation.
MARKS = ("<every member>",)
FUNCTIONS = {"Text", "gettext", "_", "ngettext"}
WORD = r"u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\""
CALL = re.compile(rf"\b(?:gettext|ngettext|_)\(({WORD})(?:, *({WORD}))?")
Key = tuple[str, str, str]  # context, English, its plural


def of_code() -> Iterator[Key]:
    """The templates of `Text`, and what modules of pages give to `gettext`."""
    for path in sorted(p for p in ROOT.rglob("*.py") if not APART & set(p.relative_to(ROOT).parts)):
        functions = FUNCTIONS if path.is_relative_to(ROOT / "web") else {"Text"}  # Django translates its own words
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in functions and (key := _key(node)):
                yield key
    yield from (("", mark, "") for mark in MARKS)


def _key(call: ast.Call) -> Key | None:
    """Context, English and plural of a call; None where the English is empty or no literal."""
    given = [arg.value if isinstance(arg, ast.Constant) else "" for arg in call.args]
    if not given or not given[0]:
        return None
    name = getattr(call.func, "id", "")
    context = next(
        (k.value.value for k in call.keywords if k.arg == "context" and isinstance(k.value, ast.Constant)), ""
    )
    return str(context) if name == "Text" else "", str(given[0]), str(given[1]) if name == "ngettext" else ""


def of_pages() -> Iterator[Key]:
    """`translate` and `blocktranslate`, as Django's own extraction reads them."""
    if not settings.configured:
        settings.configure()
    for path in sorted((ROOT / "web").rglob("*.html")):
        for found in CALL.finditer(templatize(path.read_text(), origin=str(path))):
            one, many = (ast.literal_eval(w.lstrip("u")).replace("%%", "%") if w else "" for w in found.groups())
            yield "", one, many


def of_doors() -> Iterator[str]:
    """What may have a translation: the descriptions of the interface's doors, which its page shows."""
    for path in sorted((ROOT / "web/api").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (doc := ast.get_docstring(node)):
                yield " ".join(doc.split())


def quoted(text: str) -> str:
    """As a string of a `.po` file."""
    for letter, shown in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(letter, shown)
    return f'"{text}"'


def written(head: str, catalogue: Catalog, wanted: set[Key]) -> str:
    """The `.po` file: what is wanted, in the order that it has, new sentences last."""
    blocks, known, described = [head], set(), set(of_doors())
    for message in catalogue:
        one, many = message.id if isinstance(message.id, tuple) else (str(message.id), "")
        key = (message.context or "", one, many)
        if one and (key in wanted or one in described):
            known.add(key)
            blocks.append(
                _block(key, message.string if isinstance(message.string, str) else (message.string or ("",))[0])
            )
    blocks += [_block(key, "") for key in sorted(wanted - known)]
    return "\n".join(blocks)


def _block(key: Key, said: str) -> str:
    context, one, many = key
    lines = ["#, python-format"] if re.search(r"%(\(\w+\))?[sd]\b", one) else []
    lines += [f"msgctxt {quoted(context)}"] if context else []
    lines += [f"msgid {quoted(one)}", *([f"msgid_plural {quoted(many)}"] if many else [])]
    return "\n".join([*lines, f"{'msgstr[0]' if many else 'msgstr'} {quoted(said)}"]) + "\n"


def main() -> int:
    """1 if `--check` finds anything to do, or a sentence has no translation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check, wanted, failed = parser.parse_args().check, {*of_code(), *of_pages()}, False
    for path in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
        old = path.read_text()
        new = written(old.split("\n\n")[0] + "\n", read_po(io.StringIO(old)), wanted)
        compiled, untold = io.BytesIO(), new.count('\nmsgstr ""\n', new.find("\n\n"))
        told = read_po(io.BytesIO(new.encode()))
        told.creation_date = told.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same bytes at any time
        write_mo(compiled, told)
        machine = path.with_suffix(".mo")
        changed = new != old or not machine.exists() or machine.read_bytes() != compiled.getvalue()
        if changed and not check:
            path.write_text(new)
            machine.write_bytes(compiled.getvalue())
        failed |= bool(untold) or (check and changed)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {'changed' if changed else 'as it was'}, {untold} untranslated\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
