"""What the developers' pages say of the code is so."""

import importlib
import re
from pathlib import Path

import pytest

from tools import rooms

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("page", rooms.PAGES)
def test_the_drawing_and_the_map_of_the_rooms_are_what_the_code_says(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert rooms.with_made(page, text) == text, "run `python -m tools.rooms`"


def test_the_walk_has_at_most_twelve_stops_and_each_one_exists() -> None:
    stops = rows("One incident's walk")
    assert [int(stop[0]) for stop in stops] == list(range(1, len(stops) + 1)) and len(stops) <= 12
    for _, file, name, _ in stops:
        module = file.strip("`").removesuffix(".py").replace("/", ".")
        assert hasattr(importlib.import_module(module), name.strip("`")), f"{file} has no {name}"


def test_what_the_page_finds_is_there() -> None:
    found = rows("Where to find what")
    assert len(found) >= 10
    assert [path for _, path in found if not (ROOT / path.strip("`")).exists()] == []


def test_the_files_that_contributors_copy_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## Adding something", 1)[1].split("\n## ", 1)[0]
    copied = re.findall(r"^\| [^|]+ \| `([^`]+)` \|", section, re.M)
    assert len(copied) >= 8 and [path for path in copied if not (ROOT / path).is_file()] == []


def test_the_glossary_gives_each_word_once_and_in_one_line() -> None:
    words = [row[0] for row in rows("Glossary")]
    assert len(words) >= 40 and len(set(words)) == len(words)
