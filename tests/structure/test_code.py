"""Habits of the code that no linter knows."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.rooms import floors

ROOT = Path(__file__).parents[2]
ROOMS = [room for floor in floors() for room in floor]
# The rooms that have tables; a table's reads and writes stand in its own room.
WITH_TABLES = ("incidents", "notify")
# Words that had to be learnt before a line could be placed; the glossary has the field's.
BANNED = frozenset(
    [
        "told",
        "tell",
        "tells",
        "telling",
        "said",
        "say",
        "says",
        "heard",
        "hear",
        "hears",
        "addressee",
        "occasion",
        "news",
        "standing",
        "guess",
        "guesses",
        "ledger",
        "sighting",
        "sightings",
        "fold",
        "folds",
        "folded",
        "folding",
        "guilty",
        "guilt",
        "settle",
        "settled",
        "thing",
        "things",
        "plot",
    ]
)
# Keys of JSON that others hold on to, and a term of statistics.
OUTWARD = {"tell_apart", "said_by", "ece_out_of_fold"}
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the product by its path, without migrations."""
    paths = [p for room in ROOMS for p in (ROOT / room).rglob("*.py") if "migrations" not in p.parts]
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text(encoding="utf-8")) for p in sorted(paths)}


def identifiers(tree: ast.Module) -> Iterator[str]:
    """Every name that the module defines, binds, passes or asks for."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name, asname=other):
                yield from filter(None, (*name.split("."), other))


def banned_in(tree: ast.Module) -> set[str]:
    return {
        name for name in set(identifiers(tree)) - OUTWARD if BANNED & {word.lower() for word in WORDS.findall(name)}
    }


def test_the_check_of_words_finds_them_in_every_kind_of_name() -> None:
    text = "import a.told as b\nclass NewsItem:\n    def heard(self, said): return self.x.standing(things=1)\n"
    assert banned_in(ast.parse(text)) == {"told", "NewsItem", "heard", "said", "standing", "things"}


def test_no_identifier_uses_a_word_that_is_not_the_fields() -> None:
    found = {path: sorted(names) for path, tree in trees().items() if (names := banned_in(tree))}
    assert found == {}


def models_of(room: str) -> set[str]:
    files = [tree for path, tree in trees().items() if path.startswith(f"{room}/") and path.endswith("models.py")]
    return {node.name for tree in files for node in tree.body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("room", WITH_TABLES)
def test_a_table_is_read_and_written_in_its_own_room_alone(room: str) -> None:
    models = models_of(room)
    outside = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items() if not path.startswith(f"{room}/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}
        and isinstance(node.value, ast.Name) and node.value.id in models
    ]  # fmt: skip
    assert outside == []


def test_no_row_is_saved_or_deleted_outside_the_rooms_with_tables() -> None:
    verbs = {"save", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "select_for_update"}
    outside = [
        f"{path}:{node.lineno} {node.func.attr}"
        for path, tree in trees().items() if not path.startswith(WITH_TABLES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs
    ]  # fmt: skip
    # A bundle is a file, and saving it writes no row.
    assert outside == ["config/management/commands/bundle.py:31 save"]


def test_no_module_imports_inside_a_function() -> None:
    inside = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for function in ast.walk(tree) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]  # fmt: skip
    assert inside == []


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    assert [path for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_no_file_has_more_than_four_hundred_lines() -> None:
    paths = [*trees(), *(str(p.relative_to(ROOT)) for p in (ROOT / "tests").rglob("*.py"))]
    assert [p for p in paths if len((ROOT / p).read_text(encoding="utf-8").splitlines()) > 400] == []


IN_A_STRING = re.compile(r"^from ([a-z_.]+) import ([A-Za-z_]+(?:, [A-Za-z_]+)*)", re.M)


def imports_in_strings() -> Iterator[tuple[str, str, str]]:
    """Place, module and name of every import of a room that stands in a string: code for another process."""
    for path in (p for folder in ("tests", "bench", "lab") for p in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            for module, names in IN_A_STRING.findall(node.value):
                if module.split(".")[0] in ROOMS:
                    yield from ((f"{path.relative_to(ROOT)}:{node.lineno}", module, name) for name in names.split(", "))


def test_code_that_tests_and_benches_start_elsewhere_names_what_there_is() -> None:
    found = list(imports_in_strings())
    missing = [
        (place, module, name) for place, module, name in found
        if not hasattr(importlib.import_module(module), name) and not (ROOT / module.replace(".", "/") / f"{name}.py").is_file()
    ]  # fmt: skip
    assert len(found) >= 10 and missing == []
