"""Every sentence of the code has its Chinese, which says the same things of it, and nothing else is kept."""

import ast
import gettext
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from domain.text import Text
from tests.web.test_language import of_modules, of_templates

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES/django"
APART = {".venv", "tests", "locale", "var", "build", "node_modules"}
# What the text of a term, of a count or of a list is given later, by `format`.
LATER = {"value", "limit", "subject", "unit"}
MARKS = {"<every member>"}


def sources() -> Iterator[Path]:
    return (p for p in sorted(ROOT.rglob("*.py")) if not APART & set(p.relative_to(ROOT).parts))


def texts() -> Iterator[tuple[Path, ast.Call]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text":
                yield path, node


def formatted(tree: ast.AST) -> set[str]:
    """The names that `.format` is given anywhere in a module."""
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "format")
    return {str(k.arg) for call in calls for k in call.keywords}


def key(node: ast.Call) -> tuple[str, str]:
    assert isinstance(node.args[0], ast.Constant)
    context = next((k.value for k in node.keywords if k.arg == "context"), None)
    return (context.value if isinstance(context, ast.Constant) else ""), node.args[0].value


def chinese() -> dict[tuple[str, str], str]:
    """By context and English, from the `.mo` file; of a plural the one form that Chinese has."""
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        kept = gettext.GNUTranslations(file)._catalog
    keys = {k: k[0] if isinstance(k, tuple) else k for k in kept}
    parted = {k: tuple(word.split("\x04", 1)) if "\x04" in word else ("", word) for k, word in keys.items()}
    return {parted[k]: kept[k] for k in kept if keys[k]}


def fields(template: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for _, name, spec, _ in Formatter().parse(template):
        if name is not None:
            found.setdefault(name, set()).add(spec or "")
    return found


def given(node: ast.Call) -> set[str]:
    return {str(k.arg) for k in node.keywords if k.arg != "context"}


def test_a_text_is_made_of_a_literal_and_of_named_values() -> None:
    wrong = [f"{p}:{n.lineno}" for p, n in texts() if len(n.args) != 1 or not isinstance(n.args[0], ast.Constant)]
    assert wrong == []
    assert len(list(texts())) > 1500


def test_every_sentence_has_its_chinese() -> None:
    known = chinese()
    assert [f"{p}:{n.lineno}: {key(n)}" for p, n in texts() if key(n)[1] and not known.get(key(n))] == []


def test_every_placeholder_has_its_value_and_the_chinese_uses_no_other() -> None:
    known, wrong = chinese(), []
    later = {path: LATER | formatted(ast.parse(path.read_text())) for path in {p for p, _ in texts()}}
    for path, node in texts():
        english, values, where = key(node)[1], given(node), f"{path}:{node.lineno}"
        if not values and command(english, later[path]):
            continue
        asked, translated_fields = fields(english), fields(known[key(node)]) if english else {}
        if lost := set(asked) - values - later[path]:
            wrong.append(f"{where}: no value for {sorted(lost)}")
        if strange := set(translated_fields) - set(asked) - values:
            wrong.append(f"{where}: only the Chinese says {sorted(strange)}")
        if other := [name for name in asked.keys() & translated_fields if asked[name] != translated_fields[name]]:
            wrong.append(f"{where}: another format of {other}")
        if idle := values - set(asked) - set(translated_fields):
            wrong.append(f"{where}: nothing says {sorted(idle)}")
    assert wrong == []


def command(template: str, later: set[str]) -> bool:
    """Whether its braces are those of a query or of a shell."""
    try:
        return not set(fields(template)) <= later
    except ValueError:
        return True


def test_no_entry_is_left_that_no_text_uses() -> None:
    used = {key(n) for _, n in texts()} | {("", mark) for mark in MARKS}
    used |= {("", text) for _, text in (*of_templates(), *of_modules())}
    used |= {("", doc) for doc in described()}
    assert sorted(set(chinese()) - used) == []


def described() -> Iterator[str]:
    """What the pages of the interface say of each of its doors: the door's own description."""
    for path in (ROOT / "web/api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (doc := ast.get_docstring(node)):
                yield " ".join(doc.split())


def test_the_compiled_catalogue_is_in_step_with_its_source() -> None:
    assert source_entries() == chinese()


def source_entries() -> dict[tuple[str, str], str]:
    """The entries of the `.po` file, whose strings stand on one line each."""
    found: dict[tuple[str, str], str] = {}
    for block in CATALOGUE.with_suffix(".po").read_text().split("\n\n"):
        lines = dict(line.split(" ", 1) for line in block.splitlines() if line.startswith("msg"))
        translated_fields = {name: ast.literal_eval(word) for name, word in lines.items()}
        if translated_fields.get("msgid"):
            found[translated_fields.get("msgctxt", ""), translated_fields["msgid"]] = translated_fields.get(
                "msgstr", translated_fields.get("msgstr[0]")
            )
    return found


def test_no_letter_of_another_script_stands_in_the_code() -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(not c.isascii() and unicodedata.category(c).startswith("L") for c in line)
    ]
    assert found == []


def test_a_text_shows_its_values_in_each_language() -> None:
    inner = Text("The leader {leader} fell silent around the switch.", leader="etcd1")
    text = Text("{sentence} {meaning}", sentence=inner, meaning="!")
    assert str(text) == "The leader etcd1 fell silent around the switch. !"
    assert text.in_language("zh-hans") == "主节点 etcd1 在换主前后静默。!"
    assert text.in_language("xx") == text.en and Text('up{job="x"}').en == 'up{job="x"}'
    assert Text("{n} pods").format(n=2).en == "2 pods" and hash(text) == hash(Text(text.template, **text.values))
