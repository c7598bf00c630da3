"""Which candidates are compared, how the parts of the score add up, and what is told of each; without a server."""

from dataclasses import replace
from typing import Any

import pytest

from domain.snapshot import IncidentSnapshot
from domain.verdict import Outcome
from graph import queries
from graph.project import epoch_ms
from graph.similar import Profile, compare, similar
from tests.graph.snapshots import MEMBERS, POD, START, alert, cause, finding, judged, plain, term, verdict

NONE = Profile({}, frozenset(), frozenset(), frozenset())
FULL = Profile({"a": 1.0}, frozenset({"m:yes"}), frozenset({"Pod/c/n/p"}), frozenset({"Alert"}))
NEAR = frozenset({"Host/c//n1"})


class Graph:
    """Answers as the graph would, and keeps what it was asked."""

    def __init__(self, *profiles: dict[str, Any], **routes: list[dict[str, Any]]) -> None:
        self.profiles = {row["id"]: row for row in profiles}
        self.routes = routes or {"BY_ENTITY": [hit(id_) for id_ in self.profiles]}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.keep_order = True

    def __call__(self, query: str, **values: Any) -> list[dict[str, Any]]:
        names = ("PROFILES", "NEIGHBOURS", "BY_CONFIRMED", "BY_RANKED", "BY_FINDING", "BY_ENTITY")
        name = next(name for name in names if getattr(queries, name) == query)
        self.asked.append((name, values))
        if name == "PROFILES":
            ids = values["ids"] if self.keep_order else values["ids"][::-1]
            return [self.profiles[id_] for id_ in ids if id_ in self.profiles]
        return self.routes.get(name, [])

    def values(self, name: str) -> list[dict[str, Any]]:
        return [values for asked, values in self.asked if asked == name]


def hit(id_: str, hits: int = 1, started_ms: int = 0) -> dict[str, Any]:
    return {"id": id_, "hits": hits, "started_ms": started_ms}


def profile(id_: str, **more: Any) -> dict[str, Any]:
    """What the graph keeps of an incident that was about the first member of etcd."""
    empty = {"causes": [], "probabilities": [], "findings": [], "alerts": [], "confirmed": False, "fixed_by": None}
    times = {"started_ms": 0, "resolved_ms": None, "url": None, "recurrence_of": None}
    return {"id": id_, "title": f"Incident {id_}", "entities": [MEMBERS[0].key]} | empty | times | more


def asking(entities: int = 1, **changes: Any) -> IncidentSnapshot:
    """An incident of nothing but things, the first of which is the first member of etcd."""
    more = tuple(replace(POD, name=f"p{n}") for n in range(entities - 1))
    return plain("now", 60, alerts=(), entities=(MEMBERS[0], *more), **changes)


@pytest.mark.parametrize(("entities", "found"), [(1, [1.0]), (3, [0.3333]), (20, [0.05]), (21, [])])
def test_what_is_hardly_alike_is_not_told(entities: int, found: list[float]) -> None:
    assert [one.score for one in similar(Graph(profile("past")), asking(entities), 5)] == found


def test_the_most_alike_come_first_then_the_confirmed_then_the_newest_then_by_id() -> None:
    whole = [replace(POD, name="p0").key, MEMBERS[0].key]
    rows = [
        profile("b"), profile("a"), profile("new", started_ms=5), profile("sure", confirmed=True),
        profile("best", entities=whole),
    ]  # fmt: skip
    found = similar(Graph(*rows), asking(2), 5)
    assert [one.incident for one in found] == ["best", "sure", "new", "a", "b"]
    reading = Graph(*rows)
    reading.keep_order = False
    assert similar(reading, asking(2), 5) == found
    assert [one.incident for one in similar(Graph(*rows), asking(2), 2)] == ["best", "sure"]


@pytest.mark.parametrize(
    ("started_ms", "resolved_ms", "minutes"),
    [(0, None, None), (0, 60_000, 1), (60_000, 179_999, 1), (0, 59_999, 0), (60_000, 0, 0), (0, 0, 0)],
)
def test_whole_minutes_pass_between_beginning_and_end(
    started_ms: int, resolved_ms: int | None, minutes: int | None
) -> None:
    row = profile("past", started_ms=started_ms, resolved_ms=resolved_ms)
    (found,) = similar(Graph(row), asking(), 5)
    assert found.minutes == minutes


def test_everything_that_the_graph_knows_of_a_candidate_is_told() -> None:
    bare, rich = profile("bare"), profile(
        "rich", causes=["disk", "net"], probabilities=[0.7, 0.2], confirmed=True, fixed_by="new disk",
        url="/incidents/9/", recurrence_of="first", started_ms=1,
    )  # fmt: skip
    first, second = similar(Graph(bare, rich), asking(), 5)
    assert (first.incident, first.title, first.cause, first.confirmed) == ("rich", "Incident rich", "disk", True)
    assert (first.fixed_by, first.url, first.recurrence_of) == ("new disk", "/incidents/9/", "first")
    assert (second.cause, second.confirmed, second.fixed_by, second.url, second.recurrence_of) == (
        "",
        False,
        "",
        "",
        "",
    )
    assert [str(one) for one in second.why] == ["1 of 1 affected things are the same: etcd member etcd-0."]


def test_every_route_is_asked_with_what_leads_along_it_and_only_for_earlier_incidents() -> None:
    ranked = verdict("now", *(cause(slug, n, 0.2) for n, slug in enumerate(("c", "b", "a", "d"), start=1)))
    now = asking(2, findings=(finding("m", True), finding("n", False)), verdict=ranked)
    graph = Graph(NEIGHBOURS=[{"id": "Host/prod//n2"}, {"id": "Host/prod//n1"}, {"id": MEMBERS[0].key}])
    assert similar(graph, now, 5) == ()
    own = sorted([MEMBERS[0].key, "Pod/prod/shop/p0"])
    bounds = {"incident": "now", "before_ms": epoch_ms(now.started_at), "limit": 100}
    assert graph.values("NEIGHBOURS") == [{"entities": own, "limit": 200}]
    assert graph.values("BY_CONFIRMED") == graph.values("BY_RANKED") == [{"causes": ["c", "b", "a"], **bounds}]
    assert graph.values("BY_FINDING") == [{"findings": ["m:yes"], **bounds}]
    assert graph.values("BY_ENTITY") == [
        {"entities": own, **bounds}, {"entities": ["Host/prod//n1", "Host/prod//n2"], **bounds},
    ]  # fmt: skip


def test_a_route_without_anything_to_go_by_is_not_asked() -> None:
    graph = Graph(BY_RANKED=[hit("never")])
    similar(graph, asking(), 5)
    assert [name for name, _ in graph.asked] == ["NEIGHBOURS", "BY_ENTITY", "PROFILES"]


def test_the_six_findings_that_weigh_most_in_the_verdict_lead_to_candidates() -> None:
    weights = {"m1": 0.5, "m2": -3.0, "m3": 2.0, "m4": 1.0, "m5": 1.0, "m6": 0.2, "m7": 0.0, "absent": 4.0}
    terms = [term(m, Outcome.FOR, w) for m, w in weights.items()]
    ranked = verdict(
        "now",
        cause("a", 1, 0.5, *terms),
        cause("b", 2, 0.3, term("m6", Outcome.FOR, 1.5), term("m3", Outcome.FOR, 0.1)),
    )
    found = (*(finding(f"m{n}", True) for n in range(9)), finding("absent", False))
    graph = Graph()
    similar(graph, asking(findings=found, verdict=ranked), 5)
    strongest = ["m2:yes", "m3:yes", "m6:yes", "m4:yes", "m5:yes", "m1:yes"]
    assert graph.values("BY_FINDING")[0]["findings"] == strongest
    graph = Graph()
    similar(graph, asking(findings=found), 5)
    assert graph.values("BY_FINDING")[0]["findings"] == [f"m{n}:yes" for n in range(6)]


def test_the_hundred_and_twenty_to_which_most_leads_are_compared() -> None:
    many = [hit(f"i{n:03}", started_ms=n // 2) for n in range(130)]
    graph = Graph(BY_ENTITY=many)
    similar(graph, asking(), 5)
    assert graph.values("PROFILES") == [{"ids": [f"i{n:03}" for n in range(10, 130)]}]
    graph = Graph(BY_ENTITY=[*many, hit("i001", 2)])
    similar(graph, asking(), 5)
    assert graph.values("PROFILES") == [{"ids": ["i001", "i010", *(f"i{n:03}" for n in range(12, 130))]}]


def test_an_equal_promise_goes_to_the_newer_and_then_to_the_first_by_id() -> None:
    same = [hit(f"i{n:03}", started_ms=7) for n in range(130)]
    graph = Graph(BY_ENTITY=same[::-1])
    similar(graph, asking(), 5)
    assert graph.values("PROFILES") == [{"ids": [f"i{n:03}" for n in range(120)]}]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ({"BY_RANKED": 1}, {"BY_FINDING": 1}),
        ({"BY_FINDING": 1}, {"BY_ENTITY": 1}),
        ({"BY_FINDING": 1, "BY_ENTITY": 1}, {"BY_RANKED": 1}),
        ({"BY_ENTITY": 2}, {"BY_ENTITY": 1}),
        ({"BY_RANKED": 1, "BY_CONFIRMED": 1}, {"BY_RANKED": 1}),
    ],
)
def test_what_several_or_weightier_routes_lead_to_is_compared_first(
    stronger: dict[str, int], weaker: dict[str, int]
) -> None:
    routes: dict[str, list[dict[str, Any]]] = {}
    for names, ids in ((stronger, ["strong"]), (weaker, [f"i{n:03}" for n in range(125)])):
        for name, hits in names.items():
            routes.setdefault(name, []).extend(hit(id_, hits, started_ms=int(id_ != "strong")) for id_ in ids)
    graph = Graph(**routes)
    now = asking(findings=(finding("m", True),), verdict=verdict("now", cause("a", 1, 0.5)))
    similar(graph, now, 5)
    (asked,) = graph.values("PROFILES")
    assert "strong" in asked["ids"] and len(asked["ids"]) == 120 and asked["ids"] == sorted(asked["ids"])


@pytest.mark.parametrize(
    ("theirs", "score", "why"),
    [
        (replace(NONE, causes={"a": 1.0}), 0.35, "Both rank a, here with 100%."),
        (replace(NONE, findings=FULL.findings), 0.3, "1 findings in common, seen in both: m."),
        (replace(NONE, entities=FULL.entities), 0.15, "1 of 1 affected things are the same: pod p."),
        (replace(NONE, alerts=FULL.alerts), 0.12, "The same alerts came: Alert."),
        (replace(NONE, entities=NEAR), 0.08, "It touched what hangs directly on ours: host n1."),
    ],
)
def test_each_kind_of_likeness_has_its_weight_and_its_reason(theirs: Profile, score: float, why: str) -> None:
    found, reasons = compare(FULL, theirs, NEAR, False)
    assert (found, [str(reason) for reason in reasons]) == (score, [why])


def test_the_weightiest_reason_comes_first() -> None:
    theirs = replace(FULL, causes={"a": 0.3}, entities=FULL.entities | NEAR)
    score, reasons = compare(FULL, theirs, NEAR, False)
    assert score == round(0.3 + 0.15 + 0.12 + 0.35 * 0.3 + 0.08, 4)
    assert [str(r).split(" ")[0] for r in reasons] == ["1", "1", "The", "Both", "It"]


@pytest.mark.parametrize(
    ("ours", "theirs", "score", "named"),
    [
        ({"a": 0.6, "b": 0.3}, {"a": 0.2, "b": 0.9}, 0.5, "b, here with 30%"),
        ({"a": 0.6, "b": 0.3}, {"a": 0.7}, 0.6, "a, here with 60%"),
        ({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}, 1.0, "b, here with 50%"),
        ({"a": 0.8, "b": 0.8}, {"a": 0.8, "b": 0.8}, 1.0, "b, here with 80%"),
        ({"a": 0.6, "b": 0.3}, {"a": 0.5, "b": 0.9}, 0.8, "a, here with 60%"),
        ({"a": 0.6}, {"b": 0.6}, 0.0, ""),
    ],
)
def test_causes_are_alike_by_what_both_give_them(
    ours: dict[str, float], theirs: dict[str, float], score: float, named: str
) -> None:
    found, why = compare(replace(NONE, causes=ours), replace(NONE, causes=theirs), frozenset(), False)
    assert (found, [str(w) for w in why]) == (score, [f"Both rank {named}."] if named else [])


@pytest.mark.parametrize(
    ("theirs", "score", "why"),
    [
        ({"a:yes", "b:no", "c:no"}, 1.0, "3 findings in common, seen in both: a."),
        ({"b:no", "c:no"}, 0.3333, "2 things were looked for and found in neither."),
        ({"a:yes"}, 0.6667, "1 findings in common, seen in both: a."),
        ({"a:yes", "d:yes"}, 0.4, "1 findings in common, seen in both: a."),
    ],
)
def test_an_absence_in_both_is_a_quarter_of_a_sight_in_both(theirs: set[str], score: float, why: str) -> None:
    ours = replace(NONE, findings=frozenset({"a:yes", "b:no", "c:no"}))
    found, reasons = compare(ours, replace(NONE, findings=frozenset(theirs)), frozenset(), False)
    assert (found, [str(reason) for reason in reasons]) == (score, [why])


def test_a_confirmed_cause_is_told_as_such_and_in_the_words_of_people() -> None:
    ours = replace(NONE, causes={"a": 0.6}, findings=frozenset({"m:yes"}))
    words = {"a": finding("The disk", True).sentence, "m": finding("A sync", True).sentence}
    row = profile("past", entities=[], causes=["a"], probabilities=[1.0], findings=["m:yes"], confirmed=True)
    now = asking(findings=(finding("m", True),), verdict=verdict("now", cause("a", 1, 0.6)))
    (found,) = similar(Graph(row), now, 5, words)
    assert [str(w) for w in found.why] == [
        "1 findings in common, seen in both: A sync True.", "Its confirmed cause, The disk True, has 60% here.",
    ]  # fmt: skip
    assert str(compare(ours, ours, frozenset(), True)[1][1]) == "Its confirmed cause, a, has 60% here."


def test_what_several_share_is_listed_in_order() -> None:
    things = frozenset(f"Pod/c/n/p{n}" for n in range(20))
    seen = frozenset(f"m{n:02}:yes" for n in range(20))
    one = replace(NONE, entities=things, findings=seen)
    told = [str(why) for why in compare(one, one, frozenset(), False)[1]]
    assert told == [
        "20 findings in common, seen in both: m00, m01, m02 (+17).",
        "20 of 20 affected things are the same: pod p0, pod p1, pod p10 (+17).",
    ]


def test_a_finding_that_weighs_nothing_is_as_weak_as_one_that_no_cause_reads() -> None:
    found = tuple(finding(f"m{n}", True) for n in range(3, 10))
    graph = Graph()
    ranked = verdict("now", cause("a", 1, 0.5, term("m9", Outcome.FOR, 0.0)))
    similar(graph, asking(findings=found, verdict=ranked), 5)
    assert graph.values("BY_FINDING")[0]["findings"] == [f"m{n}:yes" for n in range(3, 9)]


def test_two_equal_reasons_stand_in_the_order_of_their_kinds() -> None:
    ours = Profile({}, frozenset({"a:yes"}), frozenset(), frozenset({"Alert"}))
    theirs = replace(ours, findings=frozenset({"a:yes", *(f"m{n}:no" for n in range(6))}))
    told = [str(why).split(" ")[0] for why in compare(ours, theirs, frozenset(), False)[1]]
    assert told == ["The", "1"]


def test_nothing_to_compare_by_is_no_likeness() -> None:
    assert compare(NONE, NONE, frozenset(), True) == (0.0, ())


def test_a_route_of_many_values_counts_each_hit_by_their_share() -> None:
    weak, strong = [hit(f"i{n:03}", 1, started_ms=1) for n in range(125)], [hit("strong", 1)]
    now = asking(
        findings=(finding("m", True),), verdict=verdict("now", *(cause(s, n, 0.2) for n, s in enumerate("abc", 1)))
    )
    graph = Graph(BY_RANKED=weak, BY_FINDING=strong)
    similar(graph, now, 5)
    assert "strong" in graph.values("PROFILES")[0]["ids"]


def test_things_count_by_ours_and_alerts_by_those_of_both() -> None:
    ours = replace(NONE, entities=frozenset({"Pod/c/n/p", "Pod/c/n/q"}))
    theirs = replace(NONE, entities=frozenset({"Pod/c/n/p", "Pod/c/n/x", "Pod/c/n/y"}))
    assert compare(ours, theirs, frozenset(), False)[0] == 0.5
    ours, theirs = (replace(NONE, alerts=frozenset(names)) for names in ("ab", "bcd"))
    assert compare(ours, theirs, frozenset(), False)[0] == 0.25


@pytest.mark.parametrize(("neighbours", "share"), [(1, 0.5), (2, 1.0), (5, 1.0)])
def test_a_neighbour_for_each_of_our_things_is_as_much_as_counts(neighbours: int, share: float) -> None:
    near = frozenset(f"Host/c//n{n}" for n in range(neighbours))
    ours = replace(NONE, entities=frozenset({"Pod/c/n/p", "Pod/c/n/q"}))
    score, _ = compare(ours, replace(NONE, entities=near), near, False)
    assert score == round(0.08 * share / 0.23, 4)


@pytest.mark.parametrize(("count", "listed"), [(1, "A"), (3, "A, B, C"), (4, "A, B, C (+1)"), (6, "A, B, C (+3)")])
def test_three_names_are_listed_and_the_rest_counted(count: int, listed: str) -> None:
    alerts = tuple(alert("now", MEMBERS[0], name=n) for n in reversed("ABCDEF"[:count]))
    one = replace(NONE, alerts=frozenset(a.name for a in alerts))
    _, (why,) = compare(one, one, frozenset(), False)
    assert str(why) == f"The same alerts came: {listed}."
    assert listed.replace(", ", "、") in why.in_language("zh")


def test_an_incident_is_compared_by_its_causes_findings_things_and_alerts() -> None:
    row = profile(
        "past", causes=["cross-az-network-jitter", "etcd-slow-disk"], probabilities=[0.8, 0.1], started_ms=epoch_ms(START),
        findings=["etcd-leader-switch:yes", "etcd-fsync-one-slow:no"], alerts=["EtcdLeaderChanges"],
    )  # fmt: skip
    (found,) = similar(Graph(row), judged("now", 60), 5)
    assert found.score == round((0.35 * 0.9 + 0.3 + 0.15 + 0.12) / 0.92, 4) and len(found.why) == 4
