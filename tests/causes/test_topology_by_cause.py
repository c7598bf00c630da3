"""Which cause explains another above it, cause by cause: kind, depth, link and time."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from causes.cause import Cause, Condition, Exclusion, Symptom
from causes.score import ScoredCause, score_cause
from causes.topology import EXPLAINED, EXPLAINS, Evidence, consequences, explain_away
from domain.connections import Connections, EtcdDecl
from domain.entities import EntityKind, EntityRef, Relation, RelationKind
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from tests.causes.scenes import MEMBER, NODE, POD, START, WORDS, alert, cause, finding, scope, term

HOST, MEMBERS, WORKLOAD = EntityKind.HOST, EntityKind.ETCD_MEMBER, EntityKind.WORKLOAD
THERE = replace(scope("probe"), alerts=())


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def seen(measure: str, seconds: float | None, subject: str = "") -> Finding:
    return finding(measure, True, subject=subject, first_seen_at=None if seconds is None else at(seconds))


def under(about: EntityKind = HOST, slug: str = "below", measure: str = "low", **more: object) -> Cause:
    return cause(slug, term(measure), about=about, **more)


def over(*kinds: EntityKind, slug: str = "over", **more: object) -> Cause:
    return cause(slug, term("high"), layer="application", may_follow=frozenset(kinds), **more)


def explained(scope: Scope, causes: list[Cause], *found: Finding) -> dict[str, ScoredCause]:
    view = Evidence(scope, {f.measure: f for f in found})
    return {c.slug: c for c in explain_away(view, [score_cause(c, view.findings) for c in causes])}


def follows(scope: Scope, low: Cause, low_at: float | None = 0, high_at: float | None = 60, subject: str = "") -> bool:
    kinds = {HOST, MEMBERS, WORKLOAD, EntityKind.POD}
    found = explained(scope, [low, over(*kinds)], seen("low", low_at, subject), seen("high", high_at))
    return found["over"].follows == low.slug


def test_what_lies_below_gains_and_what_it_explains_loses_and_names_it() -> None:
    found = explained(THERE, [over(HOST), under()], seen("low", 0), seen("high", 60))
    low, high = found["below"], found["over"]
    assert (low.score, high.score) == (1.0 + 1.0, 1.0 - 2.0) == (1.0 + EXPLAINS, 1.0 + EXPLAINED)
    assert (low.follows, high.follows) == ("", "below")
    for one, weight in ((low, EXPLAINS), (high, EXPLAINED)):
        (topology,) = [t for t in one.terms if t.measure == "topology"]
        assert topology.weight == weight and "60 s" in topology.sentence.en
    assert list(found) == ["over", "below"]


@pytest.mark.parametrize(("low_at", "first"), [(0, True), (60, True), (75, True), (76, False), (None, False)])
def test_it_began_first_or_within_one_scrape(low_at: float | None, first: bool) -> None:
    assert follows(THERE, under(), low_at) is first


def test_what_began_within_one_scrape_afterwards_leads_by_nothing() -> None:
    found = explained(THERE, [over(HOST), under()], seen("low", 70), seen("high", 60))
    assert "began 0 s before" in next(t for t in found["below"].terms if t.measure == "topology").sentence.en


def test_only_what_the_cause_above_declares_and_what_is_likely_by_itself_explains_it() -> None:
    low, high = seen("low", 0), seen("high", 60)
    assert not explained(THERE, [over(MEMBERS), under()], low, high)["over"].follows
    assert not follows(THERE, under(prior=-2.0))
    assert follows(THERE, under(prior=-1.9))
    assert not follows(THERE, under(exclusions=(Exclusion(when={"high": True}, sentence=WORDS),)))
    struck = over(HOST, exclusions=(Exclusion(when={"low": True}, sentence=WORDS),))
    found = explained(THERE, [struck, under()], low, high)
    assert not found["over"].follows and found["below"].score == 1.0


def test_no_cause_explains_itself() -> None:
    found = explained(THERE, [under(may_follow=frozenset({HOST}))], seen("low", 0))
    assert not found["below"].follows


@pytest.mark.parametrize(
    ("priors", "best"), [((-0.5, -0.6), "below"), ((-0.6, -0.5), "other"), ((-0.5, -0.5), "other")]
)
def test_of_several_the_strongest_explains_and_the_others_gain_nothing(priors: tuple[float, float], best: str) -> None:
    causes = [over(HOST), under(prior=priors[0]), under(slug="other", prior=priors[1])]
    found = explained(THERE, causes, seen("low", 0), seen("high", 60))
    assert found["over"].follows == best
    gained = [c.slug for c in found.values() if any(t.measure == "topology" and t.weight > 0 for t in c.terms)]
    assert gained == [best]


@pytest.mark.parametrize(
    ("about", "layer", "deep"),
    [
        (HOST, "infrastructure", True),
        (HOST, "network", True),
        (HOST, "application", False),
        (EntityKind.POD, "infrastructure", False),
        (EntityKind.POD, "network", False),
        (WORKLOAD, "change", False),
    ],
)
def test_only_infrastructure_and_network_below_the_pods_lie_deep(about: EntityKind, layer: str, deep: bool) -> None:
    assert follows(THERE, under(about, layer=layer)) is deep


@pytest.mark.parametrize(("caused_it", "explains"), [(True, True), (False, False), (None, False)])
def test_a_change_explains_what_came_after_it_only_when_it_is_shown_to_have_caused_it(
    caused_it: bool | None, explains: bool
) -> None:
    changes = tuple(ChangeRef(str(s), "deploy", "v2", at(s), (POD.key,)) for s in (-300, -90, 30))
    change = cause("deploy", term("low"), term("change-guilty", 2.0, -0.1), about=WORKLOAD, layer="change")
    shown = finding("change-guilty", caused_it)
    found = explained(
        replace(THERE, changes=changes), [over(WORKLOAD), change], seen("low", 900), shown, seen("high", 0)
    )
    assert bool(found["over"].follows) is explains
    if explains:
        assert "began 90 s before" in next(t for t in found["deploy"].terms if t.measure == "topology").sentence.en
    bare = explained(THERE, [over(WORKLOAD), change], seen("low", 900), shown, seen("high", 0))["over"]
    assert [t.sentence.en for t in bare.terms if "began 0 s" in t.sentence.en] != [] or not explains


def etcd(cluster: str) -> Connections:
    return Connections(etcd=[EtcdDecl(name="main", cluster=cluster)])


def hangs(start: EntityRef, kind: RelationKind, end: str) -> tuple[Relation, ...]:
    return (Relation(start.key, kind, end),)


@pytest.mark.parametrize(
    ("where", "linked"),
    [
        (replace(THERE, connections=etcd("prod-a")), True),
        (replace(THERE, connections=etcd("prod-b")), False),
        (replace(THERE, connections=etcd(""), entities=(replace(POD, cluster=""),)), False),
        (replace(THERE, connections=etcd("prod-a"), entities=(NODE,)), False),
        (replace(THERE, connections=etcd("prod-a"), entities=(replace(POD, kind=EntityKind.SERVICE),)), True),
        (replace(THERE, relations=hangs(POD, RelationKind.DEPENDS_ON, MEMBER.key)), True),
        (replace(THERE, relations=hangs(POD, RelationKind.DEPENDS_ON, "EtcdCluster/x//main")), True),
        (replace(THERE, relations=hangs(POD, RelationKind.RUNS_ON, NODE.key)), False),
        (replace(THERE, relations=hangs(NODE, RelationKind.DEPENDS_ON, MEMBER.key)), False),
        (THERE, False),
    ],
)
def test_an_etcd_lies_below_pods_of_the_cluster_that_it_serves_or_that_hang_on_it(where: Scope, linked: bool) -> None:
    assert follows(where, under(MEMBERS)) is linked
    assert follows(where, under(EntityKind.ETCD_CLUSTER)) is False
    cluster = explained(
        where, [over(EntityKind.ETCD_CLUSTER), under(EntityKind.ETCD_CLUSTER)], seen("low", 0), seen("high", 60)
    )
    assert bool(cluster["over"].follows) is linked


@pytest.mark.parametrize(
    ("relations", "subject", "linked"),
    [
        (hangs(POD, RelationKind.RUNS_ON, NODE.key), "node-3", True),
        (hangs(POD, RelationKind.RUNS_ON, NODE.key), "node-9", False),
        (hangs(POD, RelationKind.RUNS_ON, NODE.key), "", True),
        (hangs(POD, RelationKind.IN_ZONE, NODE.key), "node-9", True),
        ((), "node-9", True),
    ],
)
def test_a_node_lies_below_the_pods_that_run_on_it(relations: tuple[Relation, ...], subject: str, linked: bool) -> None:
    assert follows(replace(THERE, relations=relations), under(), subject=subject) is linked


def alerted(node: float | None, probe: float | None) -> Scope:
    unreachable = replace(alert("node"), name="KubeNodeUnreachable", title="KubeNodeUnreachable")
    times = ((unreachable, node), (alert("probe"), probe))
    return replace(THERE, alerts=tuple(replace(one, started_at=at(s)) for one, s in times if s is not None))


@pytest.mark.parametrize(
    ("where", "first"),
    [
        (alerted(0, 60), True),
        (alerted(60, 0), False),
        (alerted(15, 0), True),
        (alerted(None, 60), False),
        (alerted(0, None), False),
    ],
)
def test_where_one_was_not_measured_in_time_the_alerts_show_which_began_first(where: Scope, first: bool) -> None:
    symptoms = frozenset({Symptom.NODE, Symptom.PROBE})
    for low_at, high_at in ((None, None), (500, None), (None, -500)):
        assert follows(where, under(symptoms=symptoms), low_at, high_at) is first


def test_of_several_alerts_of_one_kind_the_first_counts() -> None:
    (node, probe) = alerted(90, 60).alerts
    where = replace(THERE, alerts=(node, replace(node, started_at=at(0)), probe))
    assert follows(where, under(symptoms=frozenset({Symptom.NODE})), None, None)


def test_what_is_neither_an_etcd_nor_a_node_needs_no_link() -> None:
    where = replace(THERE, relations=hangs(POD, RelationKind.RUNS_ON, NODE.key))
    assert follows(where, under(WORKLOAD), subject="node-9")


def test_a_change_at_the_very_start_leads_by_nothing() -> None:
    changes = tuple(ChangeRef(str(s), "deploy", "v2", at(s), (POD.key,)) for s in (-300, 0))
    change = cause("deploy", term("change-guilty"), about=WORKLOAD, layer="change")
    found = explained(
        replace(THERE, changes=changes), [over(WORKLOAD), change], seen("change-guilty", 0), seen("high", 0)
    )
    assert "began 0 s before" in next(t for t in found["deploy"].terms if t.measure == "topology").sentence.en


def test_the_first_observation_that_supports_a_cause_is_its_beginning() -> None:
    low = cause("below", term("low"), term("lower", 2.0, -0.1), term("absent", when=Condition.NOT_SEEN), about=HOST)
    quiet = finding("absent", False, first_seen_at=at(0))
    assert not explained(THERE, [over(HOST), low], quiet, seen("low", 90), seen("high", 60))["over"].follows
    found = explained(THERE, [over(HOST), low], quiet, seen("low", 90), seen("lower", 10), seen("high", 60))
    assert found["over"].follows == "below"
    untimed = explained(THERE, [over(HOST), low], quiet, seen("low", None), seen("lower", 10), seen("high", 60))
    assert untimed["over"].follows == "below"
    against = finding("lower", False, first_seen_at=at(10))
    assert not explained(THERE, [over(HOST), low], seen("low", 90), against, seen("high", 60))["over"].follows


def test_the_consequences_are_the_causes_that_follow_the_strongest_first() -> None:
    view = Evidence(THERE, {f.measure: f for f in (seen("low", 0), seen("high", 60))})
    first = score_cause(under(), view.findings)

    def above(slug: str, score: float, below: str = "below") -> ScoredCause:
        title = finding(slug, True).sentence
        scored = score_cause(replace(over(HOST, slug=slug), title=title), view.findings)
        return replace(scored, follows=below, score=score)

    scores = {"c1": 1.0, "c2": 3.0, "c7": 2.0, "c6": 2.0, "c5": 0.5, "c4": 0.4}
    others = [first, *(above(slug, score) for slug, score in scores.items()), above("c9", 9.0, "elsewhere")]
    titles = [f"{slug} came out True." for slug in ("c2", "c6", "c7", "c1", "c5", "c4")]
    assert [str(t) for t in consequences(view, first, others)] == titles[:5]
    assert [str(t) for t in consequences(view, first, others, limit=2)] == titles[:2]


def test_without_one_the_consequences_are_what_the_pods_showed_from_then_on() -> None:
    shown = [
        seen("kubelet-late", 60), seen("event-same", -15), seen("event-before", -16), seen("kubelet-untimed", None),
        seen("probe-late", 60), finding("event-absent", False, first_seen_at=at(60)), seen("event-late", 60),
    ]  # fmt: skip

    def of(low: Cause, low_at: float | None = 0, where: Scope = THERE, **more: int) -> list[str]:
        view = Evidence(where, {f.measure: f for f in (*shown, seen("low", low_at))})
        first = score_cause(low, view.findings)
        return [str(t).split(" came")[0] for t in consequences(view, first, [first], **more)]

    assert of(under()) == ["event-late", "event-same", "kubelet-late"]
    assert of(under(), limit=2) == ["event-late", "event-same"]
    assert of(under(), None) == of(under(layer="application")) == of(under(MEMBERS)) == []
