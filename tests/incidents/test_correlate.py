"""What becomes of an alert's row, and what a delivery leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.alerts import AlertState, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from incidents import burst, deliveries, queries, sources
from incidents.entities import store_relations
from incidents.models import Alert, Entity, EntityRelation, GraphQueue, Incident, Source

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
POD = EntityRef(EntityKind.POD, "cart-1", "prod", "shop")
ALERT = ParsedAlert("f1", "1", AlertState.FIRING, "Probe", "probe fails", Severity.HIGH, BEGAN, entities=(POD,))

pytestmark = pytest.mark.django_db


def place(*alerts: ParsedAlert) -> None:
    source = Source.objects.first() or sources.make_source("alertmanager", "prod")[0]
    burst.apply_burst([(deliveries.accept(source, b"{}", {}, BEGAN), ParsedDelivery(alerts))], Connections())


def facts() -> list[tuple[datetime, bool, datetime | None]]:
    return list(Alert.objects.order_by("started_at").values_list("started_at", "firing", "ended_at"))


def at(minutes: int) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def occurrence(minutes: int, state: AlertState = AlertState.FIRING, ended: int | None = None) -> ParsedAlert:
    return replace(ALERT, occurrence=str(minutes), started_at=at(minutes), state=state,
                   ended_at=None if ended is None else at(ended))  # fmt: skip


@pytest.mark.parametrize("sign", ["p", "/", "%2F", "é"])
def test_names_longer_than_their_columns_are_one_alert_and_one_entity_whenever_they_come(sign: str) -> None:
    pods = [replace(POD, name=sign * 600 + end, cluster=sign * 300, namespace=sign * 300) for end in "ab"]
    service = replace(POD, kind=EntityKind.SERVICE)
    place(replace(ALERT, identity="f" * 300, occurrence="o" * 80, entities=(*pods, service)))
    place(replace(ALERT, identity="f" * 300, occurrence="o" * 80, entities=(*pods, service)))
    place(replace(ALERT, identity="other", entities=(pods[0],)))
    assert Alert.objects.count() == 2 and Incident.objects.count() == 1
    (entity,) = Entity.objects.filter(kind="Pod")
    assert EntityRef.from_key(entity.key).key == entity.key == pods[0].bounded().key
    assert EntityRelation.objects.get().start == entity
    assert queries.snapshot(str(Incident.objects.get().pk)).relations


def test_a_newer_occurrence_ends_the_older_one_and_a_late_older_one_is_over_already() -> None:
    place(occurrence(10))
    place(occurrence(20))
    assert facts() == [(at(10), False, at(20)), (at(20), True, None)]
    place(occurrence(0))
    assert facts()[0] == (at(0), False, at(10))


def test_an_end_that_began_earlier_ends_every_open_episode_within_it() -> None:
    place(occurrence(10))
    place(occurrence(0, AlertState.RESOLVED, ended=15))
    assert facts() == [(at(0), False, at(15))]
    place(occurrence(5))
    assert facts() == [(at(0), False, at(15))]


def test_a_relation_of_entities_that_are_not_stored_yet_stores_them_and_again_changes_nothing() -> None:
    relation = Relation(POD.key, RelationKind.RUNS_ON, EntityRef(EntityKind.HOST, "n-1", "prod").key)
    for _ in range(2):
        store_relations([relation])
        assert EntityRelation.objects.count() == 1 and Entity.objects.count() == 2


def test_the_graph_is_asked_to_remember_once_for_each_delivery_however_far_behind_it_is() -> None:
    place(ALERT)
    row = GraphQueue.objects.get()
    since = row.wanted_at
    GraphQueue.objects.update(attempts=4, next_at=at(10_000_000), reason="away")
    place(occurrence(1))
    row.refresh_from_db()
    assert (row.revision, row.attempts, row.reason, row.wanted_at) == (2, 0, "", since)
    assert row.next_at < at(10_000_000)


def test_an_alert_that_comes_again_after_hours_joins_its_open_incident_and_another_one_opens_a_new_one() -> None:
    place(occurrence(0))
    place(replace(ALERT, identity="f2", started_at=at(100)))
    place(occurrence(300))
    first, second = Incident.objects.order_by("number")
    assert [a.started_at for a in first.alerts.order_by("started_at")] == [at(0), at(300)]
    assert second.alerts.get().identity == "f2"
