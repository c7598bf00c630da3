"""The grouping rule as a table."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.alerts import Family
from domain.entities import Relation, RelationKind
from domain.text import Text
from incidents.grouping import Link, Member, Rules, connecting, group

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POD, NODE, OTHER_POD, WORKLOAD = "Pod/a/shop/web-0", "Host/a//n1", "Pod/a/shop/web-1", "Workload/a/shop/web"
STRANGER = "Pod/a/shop/db-0"
M1, M2, CLUSTER, ZONE = "EtcdMember/a//etcd1", "EtcdMember/a//etcd2", "EtcdCluster/a//etcd", "Zone/a//z1"
WIDE, SPACE = "Cluster/a//a", "Namespace/a//shop"
RELATIONS = [
    Relation(POD, RelationKind.RUNS_ON, NODE),
    Relation(STRANGER, RelationKind.RUNS_ON, NODE),
    Relation(POD, RelationKind.PART_OF, WORKLOAD),
    Relation(OTHER_POD, RelationKind.PART_OF, WORKLOAD),
    Relation(M1, RelationKind.MEMBER_OF, CLUSTER),
    Relation(M2, RelationKind.MEMBER_OF, CLUSTER),
    Relation(M1, RelationKind.RUNS_ON, "Host/a//e1"),
    Relation(M1, RelationKind.IN_ZONE, ZONE),
    Relation(POD, RelationKind.IN_ZONE, ZONE),
]
OWN = Link("i1", Text("the same alert fired here before"))


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def about(
    subject: str, at: float = 0, *others: str, ended: float | None = None, family: str = "pod", incident: str = "i1"
) -> Member:
    """An alert about the subject that names others too; its relations are those of `RELATIONS`."""
    named = {subject, *others}
    return Member(
        subject, connecting(subject, named), minutes(at), None if ended is None else minutes(ended), family, "Rule",
        frozenset(r for r in RELATIONS if r.start in named), incident, int(incident[1:] or 0),
    )  # fmt: skip


def joined(newcomer: Member, *members: Member, rules: Rules = Rules()) -> list[str]:  # noqa: B008 frozen
    decision = group(replace(newcomer, incident="", number=0), members, rules)
    assert decision.reason.en and decision.reason.in_language("zh")
    return [link for link in (decision.incident, *(link.incident for link in decision.joins)) if link]


@pytest.mark.parametrize(
    ("newcomer", "there", "joins"),
    [
        (about(POD, 1), about(POD), True),
        (about(POD, 15), about(POD), True),
        (about(POD, 15.1), about(POD), False),
        (about(POD, -15), about(POD), True),
        (about(POD, -15.1), about(POD), False),
        (about(M1, 1), about(M2), True),
        (about(M1, 1), about(CLUSTER), True),
        (about(CLUSTER, 1), about(M1), True),
        (about(M1, 1), about("Host/a//e1"), True),
        (about(OTHER_POD, 1), about(POD), True),
        (about(OTHER_POD, 1), about(WORKLOAD), True),
        (about(WORKLOAD, 1), about(POD), True),
        (about(OTHER_POD, 16), about(POD), False),
        (about(M1, 1), about(POD), False),
        (about(ZONE, 1), about(M1), False),
        (about(POD, 1, NODE), about(STRANGER, 0, NODE), False),
        (about(POD, 1, SPACE), about(STRANGER, 0, SPACE), False),
        (about(POD, 1, SPACE), about(SPACE), False),
        (about(WIDE, 1, family="apiserver"), about(WIDE, family="apiserver"), True),
        (about(WIDE, 1, family="apiserver"), about(WIDE, family="etcd"), False),
        (about(POD, 1), about(STRANGER, 0, POD), True),
        (about(POD, 1, "Volume/a/shop/data"), about("Volume/a/shop/data"), True),
    ],
)  # fmt: skip
def test_an_alert_joins_what_is_related_and_near_whichever_comes_first(
    newcomer: Member, there: Member, joins: bool
) -> None:
    assert joined(newcomer, there) == (["i1"] if joins else [])
    other_way = joined(replace(there), replace(newcomer, incident="i1", number=1))
    assert other_way == (["i1"] if joins else [])


@pytest.mark.parametrize(
    ("newcomer", "there", "joins"),
    [
        (about(POD, 9), about(POD, ended=0), True),
        (about(POD, 10), about(POD, ended=0), True),
        (about(POD, 10.1), about(POD, ended=0), False),
        (about(POD, 30), about(POD, ended=25), True),
        (about(POD, 5), about(POD, ended=5, family="probe"), True),
        (about(POD, 9), about(POD, ended=5, family="probe"), False),
        (about(OTHER_POD, 9), about(POD, ended=5), False),
        (about(M1, 9, family="etcd"), about(CLUSTER, ended=5, family="etcd"), False),
        (about(WIDE, 9), about(WIDE, ended=5), True),
        (about(POD, 9, family=""), about(POD, ended=5, family=""), True),
        (replace(about(POD, 9, family=""), name="Else"), about(POD, ended=5, family=""), False),
    ],
)  # fmt: skip
def test_after_an_alert_is_over_only_the_same_failure_of_the_same_subject_joins_it(
    newcomer: Member, there: Member, joins: bool
) -> None:
    assert joined(newcomer, there) == (["i1"] if joins else [])
    assert joined(there, replace(newcomer, incident="i1", number=1)) == (["i1"] if joins else [])


def test_another_failure_of_the_same_entity_follows_the_incident_that_was_over() -> None:
    earlier = [about(POD, 0, ended=2, incident="i3"), about(POD, 1, ended=3, incident="i4")]
    decision = group(about(POD, 8, family="probe", incident=""), earlier, Rules())
    assert (decision.incident, decision.follows) == ("", "i4")
    assert decision.reason.en == "another failure of pod web-0, after incident #4"
    late = group(about(POD, -8, ended=-3, family="probe", incident=""), earlier, Rules())
    assert (late.incident, late.follows, late.followed_by) == ("", "", ("i3", "i4"))
    assert group(about(POD, 14, family="probe", incident=""), earlier, Rules()).follows == ""


def test_an_alert_that_connects_two_incidents_joins_both() -> None:
    pods = [about(POD, 0, incident="i1"), about("Pod/b/x/p", 0, incident="i3"), about(OTHER_POD, 14, incident="i2")]
    decision = group(about(WORKLOAD, 7, incident=""), pods, Rules())
    assert (decision.incident, [link.incident for link in decision.joins]) == ("i2", ["i1"])
    assert decision.reason.en == "pod web-1 is related to workload web"
    assert decision.joins[0].reason.en == "pod web-0 is related to workload web"


def test_a_node_and_its_pods_are_one_when_the_nodes_health_or_several_pods_fail() -> None:
    down, full = about(NODE, family=Family.NODE), about(NODE, family=Family.CAPACITY)
    one, two = about(POD, 3, incident="i2"), about(STRANGER, 4, incident="i3")
    assert joined(one, down) == joined(replace(down, incident=""), replace(one, incident="i1")) == ["i1"]
    assert joined(one, full) == joined(full, one) == []
    assert joined(one, replace(one, incident="i5")) == ["i5"]
    assert joined(full, one, replace(one, started_at=minutes(4))) == [], "the same pod twice is one pod"
    for newcomer, others in ((full, (one, two)), (one, (full, two)), (two, (one, full))):
        assert sorted(joined(newcomer, *others)) == sorted(other.incident for other in others)
    assert joined(one, two) == [], "without an alert of the node two strangers are two"


def test_pods_that_fail_one_after_the_other_while_their_node_is_down_are_one() -> None:
    down, one = about(NODE, family=Family.NODE), about(POD, 10, incident="i2")
    later = about(STRANGER, 24, incident="i3")
    assert sorted(joined(later, down, one)) == ["i1", "i2"]
    assert sorted(joined(down, one, later)) == ["i2", "i3"]
    assert sorted(joined(one, later, down)) == ["i1", "i3"]
    assert joined(later, down) == [], "too late to be told apart from a failure of its own"
    assert joined(later, replace(down, ended_at=minutes(20)), one) == [], "the node was up again"


def test_the_reason_of_a_node_names_pod_and_node() -> None:
    decision = group(about(POD, 3, incident=""), [about(NODE, family=Family.NODE)], Rules())
    assert decision.reason.en == "pod web-0 runs on host n1, which fails too"
    assert group(about(NODE, 3, family=Family.NODE), [about(POD)], Rules()).reason == decision.reason


def test_a_flapping_alert_returns_to_its_own_incident_even_when_another_is_newer() -> None:
    decision = group(about(POD, 6, incident=""), [about(POD, 5, incident="i2")], Rules(), [OWN])
    assert decision.incident == "i1" and "fired here before" in decision.reason.en
    assert [link.incident for link in decision.joins] == ["i2"], "it holds the two together"
    assert group(about(POD, 300, incident=""), [], Rules(), [OWN]).incident == "i1"


def test_in_a_storm_unrelated_alerts_join_the_newest_incident() -> None:
    opened = [f"i{n}" for n in range(50, 0, -1)]
    decision = group(about(POD, 2), [], Rules(), opened=opened)
    assert decision.incident == "i50" and "storm: 50" in decision.reason.en
    assert group(about(POD, 2), [], Rules(), opened=opened[1:]).incident == ""
    assert group(about(POD, 2), [about(POD, incident="i7")], Rules(), opened=opened).incident == "i7"


def test_open_incidents_are_not_read_where_something_is_connected() -> None:
    read: list[int] = []

    def opened() -> Iterator[str]:
        read.append(1)
        yield "i9"

    assert group(about(POD, 1), [about(POD)], Rules(), opened=opened()).incident == "i1" and not read
    assert group(about(POD, 1), [], Rules(), opened=opened()).incident == "" and read


def test_the_order_of_members_does_not_matter_and_the_newest_of_equal_ones_is_named() -> None:
    there = [about(WORKLOAD), about(POD, 1, incident="i2"), about(POD, 2, incident="i3")]
    decision = group(about(POD, 3), there, Rules())
    assert decision == group(about(POD, 3), there[::-1], Rules())
    assert [decision.incident, *(link.incident for link in decision.joins)] == ["i3", "i2", "i1"]


THIRD = "Host/a//n9"


@pytest.mark.parametrize("link", [(M1, THIRD), (M2, THIRD), (M2, CLUSTER)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_relation_of_which_one_end_is_elsewhere_relates_nothing(link: tuple[str, str], swapped: bool) -> None:
    relations = frozenset([Relation(link[0], RelationKind.RUNS_ON, link[1])])
    pair = [replace(about(key), relations=relations) for key in (M1, "Host/a//n8")]
    assert joined(*(pair[::-1] if swapped else pair)) == []


def test_of_several_shared_entities_and_links_the_first_in_order_is_named() -> None:
    volumes = [f"Volume/a/shop/v{n}" for n in range(10, 30)]
    shared = group(about(POD, 1, *volumes), [about(STRANGER, 0, *volumes)], Rules())
    assert shared.reason.en == "same entity, volume v10"
    member = [Relation(M1, RelationKind.RUNS_ON, f"Host/a//n{n}") for n in (2, 1)]
    first = replace(about(M1, 1), relations=frozenset(member))
    hosts = Member("", frozenset(r.end for r in member), minutes(0), incident="i1")
    assert group(first, [hosts], Rules()).reason.en == "etcd member etcd1 is related to host n1"


def test_what_only_says_where_an_alert_is_does_not_connect_it() -> None:
    assert connecting(POD, [POD, NODE, WIDE, SPACE, ZONE, WORKLOAD]) == {POD, WORKLOAD}
    assert connecting(NODE, [NODE, POD]) == {NODE, POD}
    assert connecting(WIDE, [WIDE]) == connecting("", [WIDE]) == frozenset()
    assert connecting("", [NODE]) == {NODE} and connecting("", [NODE, POD]) == {POD}
