"""Changes that somebody reports: deploys, commits, configuration."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from incidents.models import Change, Entity


def add_change(
    kind: str, reference: str, title: str, at: datetime, entities: Iterable[Entity], url: str = ""
) -> Change:
    """A deploy, commit or configuration change; the same reference again changes it."""
    with transaction.atomic():
        change, _ = Change.objects.update_or_create(
            reference=reference[:200], defaults={"kind": kind, "title": title[:300], "at": at, "url": url}
        )
        change.entities.set(entities)
    return change
