"""Statements that two names are one machine: from the API of a cluster, or from what its exporter reports."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from domain import codec
from domain.entities import EntityRef
from domain.text import Text
from incidents.entities import store_entities
from incidents.models import Entity, EntityAlias
from incidents.rederive import Declared
from incidents.same_entity import merge


@dataclass(frozen=True, slots=True)
class Statement:
    """`alias` is another name of `ref`, since `because` names both."""

    ref: EntityRef
    alias: str
    because: Text


def learn(statements: Iterable[Statement], by: str, declared: Declared) -> int:
    """Store what is not known yet, and merge entities that a statement names as one; how many names are new.

    A newer statement replaces an older one: an address may move to another machine.
    """
    named = {(s.ref.kind, s.ref.cluster, s.alias): s for s in statements if s.alias and s.alias != s.ref.name}
    known = {
        (row.kind, row.cluster, row.alias): row
        for row in EntityAlias.objects.filter(alias__in=[key[2] for key in named]).select_related("entity")
    }
    changed = [s for key, s in named.items() if key not in known or known[key].entity.key != s.ref.key]
    with transaction.atomic():
        rows = store_entities(s.ref for s in changed)
        for statement in changed:
            _store(statement, rows[statement.ref.key])
    for statement in changed:
        _merge_with(statement, rows[statement.ref.key], by, declared)
    return len(changed)


def _store(statement: Statement, row: Entity) -> None:
    ref = statement.ref
    EntityAlias.objects.update_or_create(
        kind=ref.kind, cluster=ref.cluster, alias=statement.alias[:253],
        defaults={"entity": row, "because": codec.to_builtins(statement.because)},
    )  # fmt: skip


def _merge_with(statement: Statement, row: Entity, by: str, declared: Declared) -> None:
    """Merge what alerts knew only by the other name."""
    ref = statement.ref
    other = EntityRef(ref.kind, statement.alias, ref.cluster, ref.namespace)
    found = Entity.objects.filter(key=other.key, merged_into__isnull=True).exclude(pk=row.pk).first()
    if found is not None:
        merge(found, row, by, statement.because, declared)
