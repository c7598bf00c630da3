"""Derives the entities of stored alerts, and of their incidents, anew from what their senders wrote."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from domain import codec
from domain.alerts import ParsedAlert
from domain.connections import Connections
from incidents import graph_queue
from incidents.entities import EntityCache
from incidents.models import Alert, Entity, Incident, Source

Declared = Callable[[Source], Connections]
Decide = Callable[[Alert, ParsedAlert, Connections], ParsedAlert]
STEP = 200


class Rederiving:
    """Takes alerts one by one; `declared` gives the connections of a source, `decide` may correct what was parsed."""

    def __init__(self, declared: Declared, decide: Decide = lambda _row, parsed, _connections: parsed) -> None:
        self._declared, self._decide = declared, decide
        self._caches: dict[int, tuple[Connections, EntityCache]] = {}
        self.alerts = 0
        self.keys: set[str] = set()
        self.incidents: set[UUID] = set()

    def alert(self, row: Alert) -> bool:
        """Derive the alert's entities and subject; whether anything of it changed."""
        connections, cache = self._cache(row.source)
        before = codec.decode(row.parsed, ParsedAlert)
        after = self._decide(row, before, connections)
        rows, subject = list(cache.of(after).values()), cache.subject(after)
        self.keys.update(entity.key for entity in (*rows, *([subject] if subject else [])))
        same = {entity.pk for entity in row.entities.all()} == {entity.pk for entity in rows}
        if same and after == before and row.subject == subject and row.family == after.family:
            return False
        row.parsed, row.subject, row.family = codec.encode(after), subject, after.family.value
        row.save(update_fields=["parsed", "subject", "family"])
        row.entities.set(rows)
        self.alerts += 1
        if row.incident_id is not None:
            self.incidents.add(row.incident_id)
        return True

    def forget_rows(self) -> None:
        """Read entities again: what was stored is gone after a rollback."""
        self._caches.clear()

    def _cache(self, source: Source) -> tuple[Connections, EntityCache]:
        if source.pk not in self._caches:
            connections = self._declared(source)
            self._caches[source.pk] = (connections, EntityCache(connections))
        return self._caches[source.pk]


def alerts_of(entities: Sequence[Entity]) -> QuerySet[Alert]:
    """The alerts about any of these entities, in order."""
    return with_entities(Alert.objects.filter(entities__in=entities).distinct())


def with_entities(rows: QuerySet[Alert]) -> QuerySet[Alert]:
    """The alerts with what deriving them needs, in order."""
    return rows.select_related("source", "subject").prefetch_related("entities").order_by("pk")


def follow(incidents: Iterable[UUID]) -> int:
    """Let these incidents have the entities of their alerts, and the graph follow; how many of them changed."""
    changed = []
    for incident in Incident.objects.filter(pk__in=list(incidents)).prefetch_related("entities"):
        wanted = set(Entity.objects.filter(alerts__incident=incident).values_list("pk", flat=True))
        if wanted and wanted != {entity.pk for entity in incident.entities.all()}:
            incident.entities.set(wanted)
            changed.append(str(incident.pk))
    for start in range(0, len(changed), STEP):
        graph_queue.put(changed[start : start + STEP], timezone.now())
    return len(changed)
