"""Declares connections in the record: idempotent, one transaction, and nothing changes in a dry run."""

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
    """Names (`kind name`) by what happened to them; `tokens` are new sources' tokens, shown this once."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    left: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...] = ()


class _DryRun(Exception):
    """Takes the transaction back."""


def declare(connections: Connections, dry_run: bool = False) -> Declared:
    """Bring the record to what is declared. What is not mentioned stays as it is.

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
            store_topology(connections)
            tokens = [made for entry in connections.source if (made := _source(entry))]
            if dry_run:
                raise _DryRun
    except _DryRun:
        tokens = []
    return Declared(tuple(done["added"]), tuple(done["changed"]), tuple(done["left"]), tuple(tokens))


def _name(kind: str, entry: Any) -> str:
    """Sources of two kinds may share a name, so theirs carries the kind."""
    return f"{entry.kind}/{entry.name}" if kind == "source" else str(entry.name)


def _put(kind: str, entry: Any) -> str:
    return declared.put(kind, _name(kind, entry), msgspec.to_builtins(entry))


def _source(entry: SourceDecl) -> tuple[str, str] | None:
    """Make the source's door where missing, and follow its token file; a made-up token is shown once."""
    token = _token(entry)
    row = sources.source(entry.kind, entry.name)
    if row is None:
        _, made = sources.make_source(entry.kind, entry.name, token)
        return None if token else (f"{entry.kind}/{entry.name}", made)
    if token:
        sources.follow_token(row, token)
    return None


def _token(entry: SourceDecl) -> str:
    if not entry.token_file:
        return ""
    try:
        token = Path(entry.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{entry.token_file} cannot be read ({error}); correct token_file") from error
    if len(token) < 16:
        raise Refused(f"{entry.token_file} holds fewer than 16 characters; put a longer token there")
    return token
