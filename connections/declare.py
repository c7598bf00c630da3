"""Writes declared connections to the record: idempotent, in one transaction, rolled back in a dry run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from domain.connections import Connections, SourceDecl
from domain.errors import Refused
from incidents import connections as declared
from incidents import sources
from incidents.entities import store_topology
from incidents.watch_leases import own_source


@dataclass(frozen=True, slots=True)
class Declared:
    """Names (`kind name`) by what happened to them; `tokens` are (name, token) of new sources, shown only once.

    `kept` are declared and not in the file; `removed` were so, and are declared no longer.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    left: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class _DryRun(Exception):
    """Rolls the transaction back."""


def declare(connections: Connections, dry_run: bool = False, prune: bool = False) -> Declared:
    """Write the declarations to the record. One that is not in the file stays, unless `prune` removes it.

    Of a source only the declaration goes: its door stays open until its tokens are ended.

    Raises Refused when a source's token file cannot be read.
    """
    done: dict[str, list[str]] = {"added": [], "changed": [], "left": []}
    tokens: list[tuple[str, str]] = []
    try:
        with transaction.atomic():
            for kind in Connections.__struct_fields__:
                for entry in getattr(connections, kind):
                    done[_put(kind, entry)].append(f"{kind} {_name(kind, entry)}")
            for cluster in connections.kubernetes:
                if cluster.watched:
                    own_source(cluster.name)
            others = _others(connections)
            if prune:
                declared.remove(others)
            store_topology(connections)
            tokens = [token for entry in connections.source for token in _make_or_follow(entry)]
            if dry_run:
                raise _DryRun
    except _DryRun:
        tokens = []
    names = tuple(f"{kind} {name}" for kind, name in others)
    return Declared(
        tuple(done["added"]), tuple(done["changed"]), tuple(done["left"]), tuple(tokens),
        () if prune else names, names if prune else (),
    )  # fmt: skip


def _others(connections: Connections) -> list[tuple[str, str]]:
    """Kind and name of what is declared and not in the file, in order."""
    kinds = Connections.__struct_fields__
    given = {(kind, _name(kind, entry)) for kind in kinds for entry in getattr(connections, kind)}
    known = declared.of_kinds(kinds).values_list("kind", "name")
    return [pair for pair in known if pair not in given]


def _name(kind: str, entry: Any) -> str:
    """The name in the record. Sources of two kinds may share a name, so theirs includes the kind."""
    return f"{entry.kind}/{entry.name}" if kind == "source" else str(entry.name)


def _put(kind: str, entry: Any) -> str:
    return declared.put(kind, _name(kind, entry), msgspec.to_builtins(entry))


def _make_or_follow(entry: SourceDecl) -> list[tuple[str, str]]:
    """Make the source if it is missing, else take over its declared token; (name, token) if one was generated."""
    token = _declared_token(entry)
    row = sources.source(entry.kind, entry.name)
    if row is None:
        _, used = sources.make_source(entry.kind, entry.name, token)
        return [] if token else [(f"{entry.kind}/{entry.name}", used)]
    if token:
        sources.follow_token(row, token)
    return []


def _declared_token(entry: SourceDecl) -> str:
    """The content of the token file, empty if none is declared."""
    if not entry.token_file:
        return ""
    try:
        token = Path(entry.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{entry.token_file} cannot be read ({error}); correct token_file") from error
    if len(token) < 16:
        raise Refused(f"{entry.token_file} holds fewer than 16 characters; put a longer token there")
    return token
