"""Which earlier incidents are alike, in which order, and why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.text import Text
from graph.project import entity_of
from graph.similar import Profile, compare
from graph.store import GraphStore
from tests.graph.servers import embedded, prepared, store
from tests.graph.snapshots import MEMBERS, POD, START, alert, confirmation, finding, judged, plain, relations
from tests.languages import in_both

__all__ = ["embedded", "prepared", "store"]

NONE = Profile({}, frozenset(), frozenset(), frozenset())
FULL = Profile({"a": 1.0}, frozenset({"m:yes"}), frozenset({"Pod/c/n/p"}), frozenset({"Alert"}))


def test_an_incident_is_entirely_like_itself() -> None:
    score, why = compare(FULL, FULL, frozenset(), True)
    assert score == 1.0
    assert len(why) == 4


def test_nothing_in_common_scores_zero_without_reasons() -> None:
    assert compare(FULL, NONE, frozenset(), False) == (0.0, ())
    assert compare(NONE, FULL, frozenset(), False) == (0.0, ())


@pytest.mark.parametrize("missing", ["causes", "findings", "entities", "alerts"])
def test_what_the_asking_incident_lacks_is_left_out_of_the_sum(missing: str) -> None:
    ours = replace(FULL, **{missing: getattr(NONE, missing)})
    assert compare(ours, FULL, frozenset(), False)[0] == 1.0


def test_seen_findings_weigh_more_than_absent_ones() -> None:
    ours = Profile({}, frozenset({"a:yes", "b:no"}), frozenset(), frozenset())
    seen = replace(NONE, findings=frozenset({"a:yes"}))
    absent = replace(NONE, findings=frozenset({"b:no"}))
    assert compare(ours, seen, frozenset(), False)[0] == 0.8
    assert compare(ours, absent, frozenset(), False)[0] == 0.2


def test_reasons_are_in_both_languages_and_name_what_is_shared() -> None:
    _, why = compare(FULL, FULL, frozenset(), True)
    assert in_both(why[0]) == ("Its confirmed cause, a, has 100% here.", "其已确认原因 a 在此处概率为 100%。")
    assert all(reason.en and reason.in_language("zh") for reason in why)


def test_reasons_name_causes_measures_and_entities_in_words() -> None:
    words = {"a": Text.rendered("“The disk is slow”", "“磁盘慢”"), "m": Text.rendered("“Was it {slow}?”", "“是否慢？”")}
    many = replace(FULL, entities=frozenset(f"EtcdMember/c//etcd{n}" for n in range(1, 6)))
    _, why = compare(many, many, frozenset(), True, words)
    assert in_both(why[0]) == (
        "Its confirmed cause, “The disk is slow”, has 100% here.",
        "其已确认原因 “磁盘慢” 在此处概率为 100%。",
    )
    assert why[1].en.endswith("seen in both: “Was it {slow}?”.") and "“是否慢？”" in why[1].in_language("zh")
    assert "etcd member etcd1, etcd member etcd2, etcd member etcd3 (+2)" in why[2].en
    assert "etcd 成员 etcd1、etcd 成员 etcd2" in why[2].in_language("zh")


def test_the_same_confirmed_cause_comes_before_another_one(store: GraphStore) -> None:
    store.remember(
        [
            judged("same", confirmed=(confirmation("cross-az-network-jitter", "moved"),)),
            judged("other", confirmed=(confirmation("etcd-slow-disk"),)),
        ]
    )
    first, second = store.similar(judged("now", 60))
    assert (first.incident, first.cause, first.confirmed) == ("same", "cross-az-network-jitter", True)
    assert (first.fixed_by, first.minutes) == ("moved", 12)
    assert first.score > second.score


def test_a_later_incident_is_not_history(store: GraphStore) -> None:
    store.remember([judged("later", 61), judged("now", 60)])
    assert store.similar(judged("now", 60)) == ()


def test_an_incident_that_touched_a_direct_neighbour_is_found_with_that_reason(store: GraphStore) -> None:
    elsewhere = alert("near", MEMBERS[1], name="Other")
    near = plain("near", entities=(MEMBERS[1],), alerts=(elsewhere,), relations=relations())
    cluster = relations()[0].end
    store.remember([near, plain("at-cluster", entities=(), alerts=(), relations=relations())])
    store.remember([replace(near, id="whole", entities=(near.entities[0], entity_of(cluster)))])
    (found,) = store.similar(plain("now", 60))
    assert found.incident == "whole"
    assert found.why[-1].en == "It touched what hangs directly on ours: etcd cluster main."


def test_an_incident_before_its_verdict_is_compared_by_findings_and_entities(store: GraphStore) -> None:
    store.remember([judged("past")])
    asking = replace(judged("now", 60), verdict=None)
    (found,) = store.similar(asking)
    assert found.score == 1.0


def test_strangers_are_not_named(store: GraphStore) -> None:
    store.remember([plain("past", entities=(POD,), alerts=(alert("past", POD, name="Other"),))])
    assert store.similar(plain("now", 60)) == ()


def test_ties_are_ordered_newest_first_then_by_id_and_the_limit_holds(store: GraphStore) -> None:
    store.remember([judged(name, minutes) for name, minutes in (("b", 1), ("a", 1), ("c", 2), ("d", 0))])
    asking = judged("now", 60)
    assert [one.incident for one in store.similar(asking)] == ["c", "a", "b", "d"]
    assert [one.incident for one in store.similar(asking, limit=2)] == ["c", "a"]


def test_an_open_incident_has_no_minutes_and_a_recurrence_is_marked(store: GraphStore) -> None:
    store.remember([judged("open", resolved_at=None, state="open", recurrence_of="original")])
    (found,) = store.similar(judged("now", 60))
    assert found.minutes is None
    assert found.recurrence_of == "original"


def test_asking_twice_gives_the_same_answer_in_any_zone_of_writing(store: GraphStore) -> None:
    past = [judged(f"p{n}", n, findings=(finding(f"m{n % 3}", True),)) for n in range(30)]
    store.remember(past)
    asking = judged("now", 60, findings=(finding("m1", True),))
    once = store.similar(asking)
    store.clear()
    store.remember(list(reversed(past)))
    assert store.similar(asking) == once
    assert START + timedelta(minutes=60) == asking.started_at
