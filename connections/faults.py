"""One table of the connections file, what can be wrong with it, and the rules that several kinds of table share."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from connections import toml_lines

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: the path of its key, and a text with the remedy."""

    path: toml_lines.Path
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file, e.g. the second [[etcd]]: its section, its position from 0, its content."""

    section: str
    position: int
    table: dict[str, Any]

    def fault(self, key: str, text: str) -> Fault:
        """A fault of one key of this table."""
        return Fault((*self.path, key), text)

    @property
    def path(self) -> toml_lines.Path:
        """Where the table is in the file."""
        return (self.section, self.position)

    def has_secret(self, name: str) -> bool:
        """Whether the secret comes from a file or from a variable."""
        return bool(self.table.get(f"{name}_file") or self.table.get(f"{name}_env"))


def entries(tree: dict[str, Any], *sections: str) -> Iterator[Entry]:
    """Every table of these sections."""
    for section in sections:
        for position, table in enumerate(tree.get(section, [])):
            yield Entry(section, position, table)


def kind_faults(entry: Entry, known: Collection[str]) -> Iterator[Fault]:
    """A kind that this version does not know."""
    kind = entry.table["kind"]
    if kind not in known:
        yield entry.fault("kind", f"unknown kind `{kind}`; use one of {', '.join(known)}")


def name_faults(entry: Entry) -> Iterator[Fault]:
    """A name that cannot stand in an address."""
    if not _NAME.fullmatch(entry.table["name"]):
        yield entry.fault("name", "is part of an address; use letters, digits, - and _")
