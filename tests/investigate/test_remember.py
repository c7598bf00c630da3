"""What waits for the graph goes there, whatever stands beside it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from incidents import burst, deliveries, sources
from incidents.models import Entity, GraphQueue, Incident
from investigate import remember

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)


def test_an_incident_that_cannot_be_read_holds_up_no_other(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[str] = []

    class Graph:
        def remember(self, snapshots: list[Any]) -> None:
            remembered.extend(one.id for one in snapshots)

    monkeypatch.setattr(remember, "graph", Graph)
    source, _ = sources.make_source("alertmanager", "prod")
    for n in range(3):
        pod = EntityRef(EntityKind.POD, f"p{n}", f"c{n}", "shop")
        alert = ParsedAlert(f"f{n}", "1", AlertState.FIRING, "A", "a", Severity.HIGH, BEGAN, entities=(pod,))
        delivery = deliveries.accept(source, b"{}", {}, BEGAN)
        burst.apply_burst([(delivery, ParsedDelivery((alert,)))], Connections())
    Entity.objects.filter(name="p1").update(key="a key of an older version")
    broken = str(Incident.objects.get(entities__name="p1").pk)
    assert remember.remember_waiting() == 2
    assert len(remembered) == 2 and broken not in remembered
    assert [str(row.incident_id) for row in GraphQueue.objects.all()] == [broken]
    assert remember.remember_waiting() == 0, "it is tried again later, not at once"
