"""The line of each key in a TOML text, for error messages."""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.|=)""")


def line_numbers(text: str) -> dict[Path, int]:
    """The line (from 1) of every table and every key that starts a line; inner keys of values are absent."""
    lines: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(header.group(2), header.group(1) == "[[", counts)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key.group(1).strip("\"'")), number)
    return lines


def nearest(lines: dict[Path, int], path: Path) -> int:
    """The line of `path`, or of the closest table around it."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _table(dotted: str, is_array: bool, counts: dict[Path, int]) -> Path:
    """The path of a header, with the index of the array entry that it is in."""
    path: Path = ()
    parts = [part.strip().strip("\"'") for part in dotted.split(".")]
    for position, part in enumerate(parts):
        path = (*path, part)
        if is_array and position == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
