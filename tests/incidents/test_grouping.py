"""The grouping rule as a table."""

from collections.abc import Iterator
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
        (POD, 10, candidate(POD, quiet=0), True, "same entity"),
        (POD, 15, candidate(POD), True, "same entity"),
        (POD, -15, candidate(POD), True, "same entity"),
        (POD, -15, candidate(POD, quiet=5), True, "same entity"),
        (POD, -15.1, candidate(POD, quiet=5), False, "no open incident"),
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


THIRD = "Host/a//n9"


@pytest.mark.parametrize(
    "relation", [Relation(THIRD, RelationKind.RUNS_ON, NODE), Relation(POD, RelationKind.RUNS_ON, THIRD)]
)
@pytest.mark.parametrize(("ours", "theirs"), [(POD, NODE), (NODE, POD)])
def test_a_relation_of_which_one_end_is_elsewhere_relates_nothing(relation: Relation, ours: str, theirs: str) -> None:
    decision = group(Newcomer(frozenset([ours]), minutes(1)), [candidate(theirs)], [relation], Rules())
    assert decision.incident == ""


def test_a_storm_is_fifty_open_incidents_and_those_that_are_over_do_not_count() -> None:
    opened = [candidate(f"Pod/a/x/p{n}", at=n / 100, name=f"i{n}") for n in range(50)]
    over = candidate("Pod/a/x/p0", at=1, quiet=1.5, name="over")
    newcomer = Newcomer(frozenset([POD]), minutes(2))
    assert group(newcomer, [*opened[1:], over], [], Rules()).incident == ""
    assert group(newcomer, [*opened, over], [], Rules()).incident == "i49"


def test_an_alert_that_fires_again_long_after_the_window_returns_to_its_open_incident() -> None:
    again = Newcomer(frozenset([POD]), minutes(300), earlier_incident="i1")
    assert group(again, [candidate(OTHER_POD)], [], Rules()).incident == "i1"
    assert group(again, [candidate(OTHER_POD, name="i2")], [], Rules()).incident == ""


def test_of_several_shared_things_and_links_the_first_in_order_is_named() -> None:
    pods = [f"Pod/a/shop/p{n}" for n in range(10, 30)]
    there = Candidate("i1", frozenset(pods), minutes(0), minutes(0))
    assert group(Newcomer(frozenset(pods), minutes(1)), [there], [], Rules()).reason.en == "same entity, pod p10"
    nodes = [Relation(POD, RelationKind.RUNS_ON, f"Host/a//n{n}") for n in (1, 2)]
    hosts = Candidate("i1", frozenset(r.end for r in nodes), minutes(0), minutes(0))
    members = [Relation(f"EtcdMember/a//etcd{n}", RelationKind.MEMBER_OF, CLUSTER) for n in (1, 2, 3)]
    others = Candidate("i1", frozenset(r.start for r in members[1:]), minutes(0), minutes(0))
    for ours, incident, links, first in ((POD, hosts, nodes, "host n1"), (M1, others, members, "etcd member etcd2")):
        for order in (links, links[::-1]):
            assert group(Newcomer(frozenset([ours]), minutes(1)), [incident], order, Rules()).reason.en.endswith(first)


def test_relations_are_not_read_where_nothing_is_near() -> None:
    read: list[int] = []

    def relations() -> Iterator[Relation]:
        read.append(1)
        yield from RELATIONS

    newcomer = Newcomer(frozenset([POD]), minutes(1))
    assert group(newcomer, [candidate(POD, at=60)], relations(), Rules()).incident == "" and not read
    assert group(newcomer, [candidate(NODE)], relations(), Rules()).incident == "i1" and read
