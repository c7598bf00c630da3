"""The audit trail: who did what, and when a program may run."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from incidents.connections import lock_etcd
from incidents.models import AuditEntry

RUN_ADMITTED = "run admitted"


def write(by: str, action: str, object_id: str = "", detail: dict[str, str] | None = None) -> None:
    """One line in the audit trail."""
    AuditEntry.objects.create(by=by[:150], action=action, object=object_id[:200], detail=detail or {})


def admit_run(cluster: str, rest_s: float, by: str) -> bool:
    """Whether a program may ask this etcd cluster now: False within `rest_s` seconds of the last admitted run.

    The claim is a line in the audit trail, written before anything runs; two workers cannot both get it.
    """
    with transaction.atomic():
        lock_etcd(cluster)
        since = timezone.now() - timedelta(seconds=rest_s)
        if AuditEntry.objects.filter(action=RUN_ADMITTED, object=cluster[:200], at__gt=since).exists():
            return False
        write(by, RUN_ADMITTED, cluster)
        return True
