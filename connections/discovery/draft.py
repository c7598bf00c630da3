"""A connections file that is being written: tables whose every line says what it rests on. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connections.discovery.seen import shown

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One key with its value, the series or the answer that it rests on, and a note where it rests on none."""

    key: str
    value: Any
    rests_on: str = ""
    note: str = ""


@dataclass(slots=True)
class Table:
    """One table of the file. `remarks` are what the operator must know; one that is `off` is written as a comment."""

    section: str
    lines: list[Line]
    remarks: list[str] = field(default_factory=list)
    off: bool = False

    def value(self, key: str) -> Any:
        """The value of one key, None if it has none."""
        return next((line.value for line in self.lines if line.key == key), None)


@dataclass(slots=True)
class Draft:
    """The tables in order of the file, and sentences on what was not found or could not be asked."""

    tables: list[Table]
    absent: list[str]

    def text(self, heading: str) -> str:
        """The file as TOML."""
        parts = [f"# {shown(heading)}", *(_table(table) for table in self.tables)]
        missing = "\n".join(f"# {shown(sentence)}" for sentence in self.absent)
        return "\n\n".join([*parts, missing] if missing else parts) + "\n"

    def of(self, section: str) -> list[Table]:
        """The tables of one section that are not off."""
        return [table for table in self.tables if table.section == section and not table.off]


def _table(table: Table) -> str:
    remarks = [f"# {shown(remark, 600)}" for remark in table.remarks]
    rows = [f"[[{table.section}]]", *(_line(line) for line in table.lines)]
    return "\n".join([*remarks, *(f"# {row}" if table.off else row for row in rows)])


def _line(line: Line) -> str:
    written = f"{line.key} = {toml(line.value)}"
    parts = (f"rests on: {line.rests_on}" if line.rests_on else "", line.note)
    comment = "; ".join(part for part in parts if part)
    return f"{written:<40} # {shown(comment, 600)}" if comment else written


def toml(value: Any) -> str:
    """A value as TOML: text, number, truth, list or inline table."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(v) for v in value)}]"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string: JSON's escapes are TOML's, and what does not print is escaped too. Lone surrogates are not."""
    return "".join(c if c.isprintable() else _escaped(c) for c in json.dumps(value, ensure_ascii=False))


def _escaped(character: str) -> str:
    code = ord(character)
    return "?" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
