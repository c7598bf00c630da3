"""People's feedback on the causes of an incident."""

from django.db import transaction
from django.utils import timezone

from incidents import audit, graph_queue
from incidents.models import Feedback, Incident
from incidents.signals import incident_changed


def add(incident: Incident, by: str, kind: str, cause: str, fixed_by: str = "", note: str = "") -> Feedback:
    """Store that a person confirmed, rejected or corrected a cause."""
    with transaction.atomic():
        row = Feedback.objects.create(
            incident=incident, by=by[:150], kind=kind, cause=cause, fixed_by=fixed_by[:300], note=note[:5000],
            at=timezone.now(),
        )  # fmt: skip
        audit.write(by, f"feedback {kind}", str(incident.pk), {"cause": cause})
        incident_changed.send(Incident, incident=incident, now=row.at)
        graph_queue.put([str(incident.pk)], row.at)
    return row
