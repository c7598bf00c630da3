"""Who owns a pod, where its name does not say it: stored as a relation, and on the alerts that are about the pod."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.text import Text
from incidents import graph_queue
from incidents.connections import lock_grouping
from incidents.entities import store_entities, store_relations
from incidents.models import Alert, Entity, EntityRelation

PODS_MOST = 200


@dataclass(frozen=True, slots=True)
class Owned:
    """A pod's workload, since `because` names both."""

    pod: EntityRef
    workload: str
    because: Text


def pods_without_workload(since: datetime) -> list[EntityRef]:
    """Pods of alerts since then of which no workload is known, the newest first."""
    known = EntityRelation.objects.filter(start=OuterRef("pk"), end__kind=EntityKind.WORKLOAD)
    rows = Entity.objects.filter(~Exists(known), kind=EntityKind.POD, alerts__started_at__gte=since)
    return [
        EntityRef.from_key(key) for key in rows.distinct().order_by("-pk").values_list("key", flat=True)[:PODS_MOST]
    ]


@transaction.atomic
def store_owners(owned: Sequence[Owned]) -> int:
    """Store the owners of these pods, and let their alerts and incidents have them; how many pods got one."""
    if not owned:
        return 0
    lock_grouping()
    changed: set[str] = set()
    for one in owned:
        workload = EntityRef(EntityKind.WORKLOAD, one.workload, one.pod.cluster, one.pod.namespace)
        rows = store_entities([one.pod, workload])
        store_relations([Relation(one.pod.key, RelationKind.PART_OF, workload.key)], one.because, rows)
        for alert in Alert.objects.filter(entities=rows[one.pod.key]).select_related("incident"):
            alert.entities.add(rows[workload.key])
            if alert.incident is not None:
                alert.incident.entities.add(rows[workload.key])
                changed.add(str(alert.incident.pk))
    graph_queue.put(sorted(changed), timezone.now())
    return len(owned)
