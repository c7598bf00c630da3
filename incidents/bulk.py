"""Reads for many incidents at once: one query for each kind of data, however many incidents there are."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import OuterRef, Subquery

from domain import codec
from domain.entities import Relation, RelationKind
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.verdict import Verdict
from incidents.models import Change, EntityRelation, Incident, Investigation, VerdictRow

CHANGES_BEFORE = timedelta(hours=2)


def verdicts(ids: Sequence[UUID]) -> dict[UUID, Verdict]:
    """The newest verdict of each incident that has one."""
    newest = VerdictRow.objects.filter(incident=OuterRef("incident")).order_by("-revision").values("pk")[:1]
    rows = VerdictRow.objects.filter(incident__in=ids, pk=Subquery(newest))
    return {pk: codec.decode(body, Verdict) for pk, body in rows.values_list("incident", "body")}


def findings(ids: Sequence[UUID]) -> dict[UUID, tuple[Finding, ...]]:
    """The findings of each incident's newest finished investigation."""
    newest = Investigation.objects.filter(incident=OuterRef("incident"), state="done").order_by("-finished_at")
    rows = Investigation.objects.filter(incident__in=ids, pk=Subquery(newest.values("pk")[:1]))
    kind = tuple[Finding, ...]
    return {pk: codec.decode(body, kind) for pk, body in rows.values_list("incident", "findings")}


def relations(rows: Sequence[Incident]) -> dict[UUID, tuple[Relation, ...]]:
    """The relations that begin at each incident's entities, which must be prefetched."""
    keys = {row.pk: {entity.key for entity in row.entities.all()} for row in rows}
    every = set().union(*keys.values())
    found = EntityRelation.objects.filter(start__key__in=every).values_list("start__key", "kind", "end__key")
    all_ = sorted(Relation(start, RelationKind(kind), end) for start, kind, end in found)
    return {pk: tuple(relation for relation in all_ if relation.start in own) for pk, own in keys.items()}


def changes(rows: Sequence[Incident]) -> dict[UUID, tuple[ChangeRef, ...]]:
    """Changes shortly before each incident or during it, in order of time."""
    spans = {row.pk: (row.started_at - CHANGES_BEFORE, row.resolved_at or row.last_alert_at + CHANGES_BEFORE)
             for row in rows}  # fmt: skip
    if not spans:
        return {}
    first, last = min(start for start, _ in spans.values()), max(end for _, end in spans.values())
    around = Change.objects.filter(at__gte=first, at__lte=last).prefetch_related("entities").order_by("at", "pk")
    refs = [_change_ref(change) for change in around]
    return {pk: tuple(ref for ref in refs if start <= ref.at <= end) for pk, (start, end) in spans.items()}


def _change_ref(change: Change) -> ChangeRef:
    entities = tuple(sorted(entity.key for entity in change.entities.all()))
    return ChangeRef(change.reference, change.kind, change.title, change.at, entities, change.url)
