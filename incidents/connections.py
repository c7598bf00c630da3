"""Declared connections: put, looked at, and where a recorded source has its answers."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from incidents.models import Connection, Source

ADDED, CHANGED, LEFT = "added", "changed", "left"


def put(kind: str, name: str, config: dict[str, Any]) -> str:
    """Declare one connection, or declare it anew; whether it was `ADDED`, `CHANGED` or `LEFT` as it was."""
    row, made = Connection.objects.get_or_create(kind=kind, name=name, defaults={"config": config})
    if made:
        return ADDED
    if row.config == config:
        return LEFT
    Connection.objects.filter(pk=row.pk).update(config=config)
    return CHANGED


def put_recording(source: Source, path: Path) -> None:
    """The answers for this source's incidents lie in the bundle at `path`."""
    put("recorded", str(source), {"path": str(path.resolve())})


def of_kinds(kinds: Collection[str]) -> QuerySet[Connection]:
    """The connections of these kinds, in order of kind and name."""
    return Connection.objects.filter(kind__in=kinds).order_by("kind", "name")


def lock_grouping() -> None:
    """Grouping reads what it writes: on PostgreSQL one writer holds this row; SQLite has one writer anyway."""
    lock = {"kind": "lock", "name": "grouping"}
    if not Connection.objects.select_for_update().filter(**lock):
        Connection.objects.get_or_create(**lock, defaults={"config": {}})
        list(Connection.objects.select_for_update().filter(**lock))


def lock_etcd(cluster: str) -> None:
    """Locks the row of a declared etcd cluster on PostgreSQL; SQLite lets one writer in from the start."""
    list(Connection.objects.select_for_update().filter(kind="etcd", name=cluster))
