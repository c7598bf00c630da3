"""Mends what earlier versions stored wrongly: entities of reporters, names without a proof, and what hangs on them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.db.models import QuerySet

from domain.alerts import Family, ParsedAlert
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from domain.workloads import static_pod
from incidents import audit
from incidents.connections import lock_grouping
from incidents.entities import BY_ALERT, store_topology
from incidents.models import Alert, Entity, EntityAlias, EntityRelation
from incidents.rederive import STEP, Declared, Rederiving, follow, with_entities
from subjects.decide import subject_of
from subjects.subject import Sent

# Between two steps doors get to write.
ROOM_S = 0.1
WATCHER = "kubernetes"
# Families by parts of the names that the watcher gave its alerts before they had one.
WATCHED = (("Probe", Family.PROBE), ("Volume", Family.STORAGE))


@dataclass(frozen=True, slots=True)
class Repaired:
    """How many rows of each kind were changed or removed."""

    alerts: int
    names: int
    relations: int
    entities: int
    incidents: int

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to mend."""
        return not any(asdict(self).values())


def repair(
    declared: Declared, topology: Connections, *, dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Repaired:  # fmt: skip
    """Derive every alert anew, and remove names, relations and entities that nothing proves; once more changes nothing.

    It takes one short transaction for `STEP` alerts, so that deliveries are accepted meanwhile; a dry run rolls each
    of them back. `progress` gets how many alerts are done, and of how many.
    """
    rederiving = Rederiving(declared, _decided)
    names, relations = EntityAlias.objects.filter(because={}), EntityRelation.objects.filter(because={})
    counts = (names.count(), relations.count())
    if not dry_run:  # what is provable is stored anew below, with its statement
        names.delete()
        relations.delete()
        store_topology(topology)
    _derive_all(rederiving, progress, dry_run=dry_run)
    if dry_run:
        return Repaired(rederiving.alerts, *counts, _orphans(rederiving.keys).count(), len(rederiving.incidents))
    followed = follow(set(Alert.objects.exclude(incident=None).values_list("incident_id", flat=True)))
    incidents = max(followed, len(rederiving.incidents))
    found = Repaired(rederiving.alerts, *counts, _orphans(rederiving.keys).delete()[0], incidents)
    if not found.nothing:
        audit.write("command line", "repair identities", "", {k: str(v) for k, v in asdict(found).items()})
    return found


def _derive_all(rederiving: Rederiving, progress: Callable[[int, int], None], *, dry_run: bool) -> None:
    ids = list(Alert.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), STEP):
        with transaction.atomic():
            lock_grouping()
            rederiving.forget_rows()  # a rollback took what was stored
            for row in with_entities(Alert.objects.filter(pk__in=ids[start : start + STEP])):
                rederiving.alert(row)
            transaction.set_rollback(dry_run)
        progress(min(start + STEP, len(ids)), len(ids))
        time.sleep(ROOM_S)


def _orphans(keys: set[str]) -> QuerySet[Entity]:
    """Entities that no alert is about and nothing else refers to."""
    kept: set[int] = set()
    for rows in (EntityAlias.objects.exclude(because={}).values_list("entity_id", flat=True), *_ends(), *_others()):
        kept.update(rows)
    return Entity.objects.exclude(key__in=keys).exclude(pk__in=kept)


def _ends() -> Iterator[Iterable[int]]:
    """Entities at the ends of relations that have a statement of their own; those of alerts go with the alerts."""
    proven = EntityRelation.objects.exclude(because={}).exclude(because__template=BY_ALERT.template)
    yield proven.values_list("start_id", flat=True)
    yield proven.values_list("end_id", flat=True)


def _others() -> Iterator[Iterable[int]]:
    """Entities of changes, of merges, and of incidents that have no alerts any more."""
    yield Entity.objects.filter(changes__isnull=False).values_list("pk", flat=True)
    yield Entity.objects.filter(merged_into__isnull=False).values_list("pk", flat=True)
    yield Entity.objects.filter(merged__isnull=False).values_list("pk", flat=True)
    yield Entity.objects.filter(incidents__alerts__isnull=True, incidents__isnull=False).values_list("pk", flat=True)


def _decided(row: Alert, parsed: ParsedAlert, connections: Connections) -> ParsedAlert:
    """The alert with its subject decided by this version."""
    if row.source.kind == WATCHER:
        return _of_watcher(parsed)
    source = connections.source_of(row.source.kind, row.source.name)
    sent = Sent(row.source.kind, parsed.name, parsed.title, parsed.labels, parsed.annotations, parsed.url)
    return subject_of(sent, source).of(parsed)


def _of_watcher(parsed: ParsedAlert) -> ParsedAlert:
    """A watcher's alert of a version that named no subject, or took the node of static pods for their workload."""
    statics = {
        pod: found for pod in parsed.entities
        if pod.kind is EntityKind.POD and (found := static_pod(pod.name, pod.namespace))
    }  # fmt: skip
    nodes = {node for _, node in statics.values()}
    wrong = {e for e in parsed.entities if e.kind is EntityKind.WORKLOAD and e.name in nodes}
    if parsed.subject is not None and not wrong:
        return parsed
    made = [EntityRef(EntityKind.WORKLOAD, name, pod.cluster, pod.namespace) for pod, (name, _) in statics.items()]
    entities = tuple(dict.fromkeys([*(e for e in parsed.entities if e not in wrong), *(made if wrong else ())]))
    workloads = [e for e in entities if e.kind is EntityKind.WORKLOAD]
    about = workloads or [e for e in entities if e.kind is EntityKind.POD]
    family = next((family for part, family in WATCHED if part in parsed.name), Family.POD)
    return replace(parsed, entities=entities, subject=about[0] if len(about) == 1 else None, family=family)
