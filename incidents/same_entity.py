"""Two entities that are one: merged, and taken apart again; each with who did it and why, in the audit trail."""

from django.db import transaction
from django.db.models import Q

from domain.errors import Refused
from domain.text import Text
from incidents import audit
from incidents.connections import lock_grouping
from incidents.models import Entity, EntityAlias, EntityRelation
from incidents.rederive import Declared, Rederiving, alerts_of, follow


def entity_named(key: str) -> Entity:
    """The entity of a key. Raises Refused when there is none."""
    found = Entity.objects.filter(key=key).select_related("merged_into").first()
    if found is None:
        raise Refused(f"there is no entity {key}; copy the key from an incident's page")
    return found


@transaction.atomic
def merge(one: Entity, into: Entity, by: str, because: Text, declared: Declared) -> int:
    """Let everything about `one` be about `into`; how many incidents changed.

    Raises Refused for two kinds, for an entity with itself, and for one that is merged already.
    """
    lock_grouping()
    into = into.merged_into or into
    if one.pk == into.pk or one.merged_into_id is not None:
        known = into.pk in {one.merged_into_id, one.pk}
        raise Refused(f"{one.key} is {into.key} already" if known else f"{one.key} is merged; take it apart first")
    if one.kind != into.kind:
        raise Refused(f"{one.key} and {into.key} are of two kinds; only entities of one kind can be one")
    about = list(alerts_of([one]).values_list("pk", flat=True))
    Entity.objects.filter(Q(pk=one.pk) | Q(merged_into=one)).update(merged_into=into)
    EntityAlias.objects.filter(entity=one).update(entity=into)
    _move_relations(one, into)
    for change in one.changes.all():
        change.entities.remove(one)
        change.entities.add(into)
    audit.write(by, "merge entities", one.key, {"into": into.key, "because": because.en})
    return _derive(about, declared)


@transaction.atomic
def unmerge(one: Entity, by: str, declared: Declared) -> int:
    """Let the entity stand for itself again; how many incidents changed. Raises Refused when it was not merged."""
    lock_grouping()
    into = one.merged_into
    if into is None:
        raise Refused(f"{one.key} stands for itself; there is nothing to take apart")
    about = list(alerts_of([into]).values_list("pk", flat=True))
    Entity.objects.filter(pk=one.pk).update(merged_into=None)
    EntityAlias.objects.filter(entity=into, kind=one.kind, cluster=one.cluster, alias=one.name).delete()
    audit.write(by, "take entities apart", one.key, {"from": into.key})
    return _derive(about, declared)


def _move_relations(one: Entity, into: Entity) -> None:
    """Relations of the merged entity are the other's; those that it has already are not doubled."""
    for relation in EntityRelation.objects.filter(Q(start=one) | Q(end=one)):
        start = into if relation.start_id == one.pk else relation.start
        end = into if relation.end_id == one.pk else relation.end
        if start.pk != end.pk:
            EntityRelation.objects.get_or_create(
                start=start, kind=relation.kind, end=end, defaults={"because": relation.because}
            )
        relation.delete()


def _derive(about: list[int], declared: Declared) -> int:
    """Derive these alerts anew: what they are about is stored under another entity now."""
    rederiving = Rederiving(declared)
    for row in alerts_of(list(Entity.objects.filter(alerts__in=about).distinct())):
        rederiving.alert(row)
    return follow(rederiving.incidents)
