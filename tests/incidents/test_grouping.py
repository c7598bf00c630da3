"""The grouping rule as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.entities import Relation, RelationKind
from incidents.grouping import Candidate, Newcomer, Rules, group

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POD, NODE, OTHER_POD, WORKLOAD = "Pod/a/shop/web-0", "Host/a//n1", "Pod/a/shop/web-1", "Workload/a/shop/web"
M1, M2, CLUSTER, ZONE = "EtcdMember/a//etcd1", "EtcdMember/a//etcd2", "EtcdCluster/a//etcd", "Zone/a//z1"
RELATIONS = [
    Relation(POD, RelationKind.RUNS_ON, NODE),
    Relation(OTHER_POD, RelationKind.RUNS_ON, NODE),
    Relation(M1, RelationKind.MEMBER_OF, CLUSTER),
    Relation(M2, RelationKind.MEMBER_OF, CLUSTER),
    Relation(M1, RelationKind.IN_ZONE, ZONE),
    Relation(POD, RelationKind.IN_ZONE, ZONE),
]


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def candidate(key: str, *, at: float = 0, quiet: float | None = None, name: str = "i1") -> Candidate:
    return Candidate(name, frozenset([key]), minutes(at), minutes(at), None if quiet is None else minutes(quiet))


@pytest.mark.parametrize(
    ("key", "at", "there", "joins", "why"),
    [
        (POD, 1, candidate(POD), True, "same entity"),
        (POD, 14.9, candidate(POD), True, "same entity"),
        (POD, 15.1, candidate(POD), False, "no open incident"),
        (POD, -14, candidate(POD), True, "same entity"),
        (POD, 1, candidate(NODE), True, "is related"),
        (NODE, 1, candidate(POD), True, "is related"),
        (M1, 1, candidate(M2), True, "is related"),
        (M1, 1, candidate(CLUSTER), True, "is related"),
        (OTHER_POD, 1, candidate(POD), False, "no open incident"),
        (M1, 1, candidate(POD), False, "no open incident"),
        (ZONE, 1, candidate(M1), False, "no open incident"),
        (POD, 9, candidate(POD, quiet=0), True, "same entity"),
        (POD, 11, candidate(POD, quiet=0), False, "no open incident"),
    ],
)  # fmt: skip
def test_an_alert_joins_what_is_related_and_near_and_nothing_else(
    key: str, at: float, there: Candidate, joins: bool, why: str
) -> None:
    decision = group(Newcomer(frozenset([key]), minutes(at)), [there], RELATIONS, Rules())
    assert bool(decision.incident) is joins
    assert why in decision.reason.en and decision.reason.in_language("zh")


def test_a_flapping_alert_returns_to_its_own_incident_even_when_another_is_newer() -> None:
    own, newer = candidate(POD, quiet=2), candidate(POD, at=5, name="i2")
    decision = group(Newcomer(frozenset([POD]), minutes(6), earlier_incident="i1"), [own, newer], [], Rules())
    assert decision.incident == "i1" and "fired here before" in decision.reason.en


def test_in_a_storm_unrelated_alerts_join_the_newest_incident() -> None:
    many = [candidate(f"Pod/a/x/p{n}", at=n / 100, name=f"i{n}") for n in range(50)]
    decision = group(Newcomer(frozenset([POD]), minutes(2)), many, [], Rules())
    assert decision.incident == "i49" and "storm" in decision.reason.en


def test_the_order_of_candidates_and_relations_does_not_matter() -> None:
    there = [candidate(NODE), candidate(POD, at=1, name="i2"), candidate(POD, at=1, name="i3")]
    newcomer = Newcomer(frozenset([POD]), minutes(2))
    assert group(newcomer, there, RELATIONS, Rules()) == group(newcomer, there[::-1], RELATIONS[::-1], Rules())
