"""The order in which alerts arrive does not decide which incidents there are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.alerts import AlertState, Family, ParsedAlert, ParsedDelivery, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from incidents import burst, deliveries, sources
from incidents.entities import DECLARED, store_relations
from incidents.models import Alert, Incident

BEGAN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
HOSTS = [EntityRef(EntityKind.HOST, name, "prod") for name in ("n-1", "n-2")]
PODS = [EntityRef(EntityKind.POD, name, "prod", "shop") for name in ("cart-1", "cart-2", "db-1", "web-1")]
CART = EntityRef(EntityKind.WORKLOAD, "cart", "prod", "shop")
MEMBERS = [EntityRef(EntityKind.ETCD_MEMBER, name, "prod") for name in ("etcd1", "etcd2")]
ETCD = EntityRef(EntityKind.ETCD_CLUSTER, "etcd", "prod")
WIDE = [EntityRef(EntityKind.CLUSTER, "prod", "prod"), EntityRef(EntityKind.NAMESPACE, "shop", "prod", "shop")]
TOPOLOGY = [
    *(Relation(pod.key, RelationKind.PART_OF, CART.key) for pod in PODS[:2]),
    *(Relation(pod.key, RelationKind.RUNS_ON, HOSTS[0].key) for pod in PODS[:3]),
    Relation(PODS[3].key, RelationKind.RUNS_ON, HOSTS[1].key),
    *(Relation(member.key, RelationKind.MEMBER_OF, ETCD.key) for member in MEMBERS),
    Relation(MEMBERS[0].key, RelationKind.RUNS_ON, HOSTS[1].key),
]
FAMILIES = (Family.POD, Family.NODE, Family.UNKNOWN)
Shape = tuple[EntityRef, Family, int, int | None, int | None]

shapes = st.tuples(
    st.sampled_from([*HOSTS, *PODS, CART, *MEMBERS, ETCD, *WIDE]), st.sampled_from(FAMILIES),
    st.integers(0, 45), st.none() | st.integers(0, 20), st.none() | st.integers(1, 10),
)  # fmt: skip


def alerts_of(number: int, shape: Shape) -> list[ParsedAlert]:
    """An alert that began at a minute and lasted some, for ever if None; perhaps it came back some minutes later."""
    subject, family, start, lasts, back = shape
    first = ParsedAlert(
        f"f{number}", str(start), AlertState.FIRING, "Rule", f"{subject.name} fails", Severity.HIGH, at(start),
        entities=(subject,), subject=subject, family=family,
    )  # fmt: skip
    if lasts is None:
        return [first]
    first = replace(first, state=AlertState.RESOLVED, ended_at=at(start + lasts))
    if back is None:
        return [first]
    again = start + lasts + back
    return [first, replace(first, state=AlertState.FIRING, occurrence=str(again), started_at=at(again), ended_at=None)]


def at(minutes: int) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


class Undo(Exception):
    """Rolls one example back."""


def partition(bursts: Sequence[Sequence[ParsedAlert]]) -> set[frozenset[tuple[str, str]]]:
    """Which alerts are together after these bursts."""
    found: dict[int, set[tuple[str, str]]] = {}
    try:
        with transaction.atomic():
            store_relations(TOPOLOGY, DECLARED)
            source = sources.make_source("alertmanager", "prod")[0]
            for alerts in bursts:
                delivery = deliveries.accept(source, b"{}", {}, BEGAN)
                burst.apply_burst([(delivery, ParsedDelivery(tuple(alerts)))], Connections())
            for number, identity, occurrence in Alert.objects.values_list("incident__number", "identity", "occurrence"):
                found.setdefault(number, set()).add((identity, occurrence))
            assert Incident.objects.filter(merged_into=None).count() == len(found)
            raise Undo
    except Undo:
        return {frozenset(group) for group in found.values()}


@pytest.mark.django_db(transaction=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes=st.lists(shapes, min_size=2, max_size=6), data=st.data())
def test_alerts_are_together_whatever_their_order_one_by_one_or_in_bursts(
    shapes: list[Shape], data: st.DataObject
) -> None:
    alerts = [alert for number, shape in enumerate(shapes) for alert in alerts_of(number, shape)]
    other_order = data.draw(st.permutations(alerts))
    cut = data.draw(st.integers(0, len(alerts)))
    one_by_one = partition([[alert] for alert in alerts])
    assert partition([[alert] for alert in other_order]) == one_by_one
    assert partition([other_order[:cut], other_order[cut:]]) == one_by_one
