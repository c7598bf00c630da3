"""Declared connections in the record: written, listed and locked."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from incidents.models import Connection, Source

ADDED, CHANGED, LEFT = "added", "changed", "left"


def put(kind: str, name: str, config: dict[str, Any]) -> str:
    """Write one declared connection; `ADDED`, `CHANGED`, or `LEFT` if it was there with the same configuration."""
    row, made = Connection.objects.get_or_create(kind=kind, name=name, defaults={"config": config})
    if made:
        return ADDED
    if row.config == config:
        return LEFT
    Connection.objects.filter(pk=row.pk).update(config=config)
    return CHANGED


def put_recording(source: Source, path: Path) -> None:
    """Declare that the answers for this source's incidents are in the bundle at `path`."""
    put("recorded", str(source), {"path": str(path.resolve())})


def of_kinds(kinds: Collection[str]) -> QuerySet[Connection]:
    """The connections of these kinds, in order of kind and name."""
    return Connection.objects.filter(kind__in=kinds).order_by("kind", "name")


def remove(named: Collection[tuple[str, str]]) -> None:
    """Declare these, by kind and name, no longer."""
    for kind, name in named:
        Connection.objects.filter(kind=kind, name=name).delete()


def lock_grouping() -> None:
    """Lock the grouping of alerts until the transaction ends, as it reads what it writes.

    On PostgreSQL one writer holds this row; SQLite has only one writer.
    """
    lock = {"kind": "lock", "name": "grouping"}
    if not Connection.objects.select_for_update().filter(**lock):
        Connection.objects.get_or_create(**lock, defaults={"config": {}})
        list(Connection.objects.select_for_update().filter(**lock))


def lock_etcd(cluster: str) -> None:
    """Lock a declared etcd cluster until the transaction ends. On SQLite the transaction itself is the lock."""
    list(Connection.objects.select_for_update().filter(kind="etcd", name=cluster))
