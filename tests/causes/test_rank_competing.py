"""Which causes compete, what they share the probability with, and how a model's opinion counts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causes.candidates import API_SERVER_MEASURES, eligible
from causes.catalogue import all_causes
from causes.cause import Exclusion, Symptom
from causes.probability import UNITS, probabilities, unanswered_share
from causes.rank import lower_contributing, rank
from causes.score import ScoredCause, score_cause
from causes.wording import contributing_term
from domain.alerts import Family
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import ChangeRef
from domain.text import Text
from domain.verdict import Outcome, Role, VerdictState
from tests.causes.scenes import NODE, POD, START, WORDS, cause, finding, findings, scope, term

ETCDS = {EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER}
STEADY = {slug: c for slug, c in all_causes().items() if not c.change_kinds}


def slugs(*symptoms: Symptom) -> list[str]:
    return [slug for slug, c in STEADY.items() if c.symptoms & set(symptoms)]


def compete(kind: str, *found: Finding, changes: tuple[ChangeRef, ...] = ()) -> list[str]:
    return [c.slug for c in eligible(scope(kind, changes), found)]


def test_where_the_alerts_name_nothing_what_was_seen_gives_the_causes_that_compete() -> None:
    nameless = replace(scope("etcd").alerts[0], name="Trouble", title="Trouble", entities=(), family=Family.UNKNOWN)
    where = replace(scope("etcd"), alerts=(nameless,), entities=())
    assert [c.slug for c in eligible(where, tuple(findings("etcd-space-alarm")))] == slugs(Symptom.ETCD)
    assert eligible(where) == []


def test_a_suffering_api_server_brings_in_etcd_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    node = frozenset({Symptom.NODE})
    own = [
        cause(kind.name.lower().replace("_", "-"), term("a"), about=kind, symptoms=node)
        for kind in (*ETCDS, EntityKind.HOST)
    ]
    monkeypatch.setattr("causes.candidates.all_causes", lambda: {c.slug: c for c in own})
    suffers = finding("apiserver-slow", True)
    assert {c.about for c in eligible(scope("probe"), (suffers, finding("a", True)))} == ETCDS
    assert eligible(scope("probe"), (suffers,)) == eligible(scope("probe"), (finding("a", True),)) == []


def test_only_causes_of_the_alerts_symptoms_compete() -> None:
    assert compete("etcd") == slugs(Symptom.ETCD)
    assert compete("probe") == slugs(Symptom.PROBE)
    assert slugs(Symptom.PROBE) != slugs(Symptom.PROBE, Symptom.API_SERVER)


@pytest.mark.parametrize("measure", API_SERVER_MEASURES)
def test_failing_pods_bring_in_the_causes_of_the_api_server_when_it_was_seen_to_suffer(measure: str) -> None:
    assert measure in {m for c in all_causes().values() for m in c.measures}
    assert compete("probe", finding(measure, True)) == slugs(Symptom.PROBE, Symptom.API_SERVER)
    assert compete("probe", finding(measure, False)) == slugs(Symptom.PROBE)
    assert compete("etcd", finding(measure, True)) == slugs(Symptom.ETCD)


def test_the_measures_that_show_trouble_below_are_known_by_name() -> None:
    assert set(API_SERVER_MEASURES) == {
        "apiserver-errors", "apiserver-etcd-slow", "apiserver-slow", "peers-most-pods-fail",
    }  # fmt: skip


@pytest.mark.parametrize("seen", [True, False, None])
def test_below_a_suffering_api_server_those_causes_of_etcd_compete_whose_measures_were_answered(
    seen: bool | None,
) -> None:
    asked, suffers = finding("etcd-fsync-one-slow", seen), finding("apiserver-slow", True)
    brought = {s for s, c in STEADY.items() if c.about in ETCDS and "etcd-fsync-one-slow" in c.measures}
    expected = set(slugs(Symptom.PROBE, Symptom.API_SERVER)) | (brought if seen is not None else set())
    assert set(compete("probe", asked, suffers)) == expected
    assert set(compete("probe", asked)) == set(slugs(Symptom.PROBE))
    assert brought - set(slugs(Symptom.PROBE, Symptom.API_SERVER))


WORKLOAD = EntityRef(EntityKind.WORKLOAD, "cart", "prod-a", "shop")


@pytest.mark.parametrize(
    ("kind", "entities", "competes"),
    [
        ("deploy", (POD.key,), True),
        ("Deploy", (POD.key,), True),
        ("deploy", (NODE.key, POD.key), True),
        ("deploy", (NODE.key,), False),
        ("deploy", (WORKLOAD.key,), False),
        ("deploy", (), False),
        ("holiday", (POD.key,), False),
    ],
)
def test_a_cause_of_changes_competes_where_such_a_change_touched_what_is_affected(
    kind: str, entities: tuple[str, ...], competes: bool
) -> None:
    changed = compete("probe", changes=(ChangeRef("c", kind, "v2", START - timedelta(minutes=3), entities),))
    assert ("recent-deploy" in changed) is competes
    assert set(slugs(Symptom.PROBE)) <= set(changed)


@pytest.mark.parametrize(
    ("scores", "temperature", "penalty", "shares"),
    [
        ([], 1.0, 0.0, [1.0]),
        ([0.0], 1.0, 0.0, [0.5, 0.5]),
        ([1.0], 1.0, 0.0, [0.7311, 0.2689]),
        ([0.7], None, 0.0, [0.7311, 0.2689]),
        ([2.0], 2.0, 0.0, [0.7311, 0.2689]),
        ([1.0], 1.0, 0.5, [0.3655, 0.6345]),
        ([1.0, 1.0], 1.0, 1.0, [0.0, 0.0, 1.0]),
        ([0.0, 0.0], 1.0, 0.0, [0.3334, 0.3333, 0.3333]),
        ([0.0] * 6, 1.0, 0.0, [0.1429] * 4 + [0.1428] * 3),
        ([800.0, 0.0], 1.0, 0.0, [1.0, 0.0, 0.0]),
        ([-1.0, -1.5], 1.0, 0.0, [0.2312, 0.1403, 0.6285]),
        ([-800.0], 1.0, 0.0, [0.0, 1.0]),
    ],
)
def test_shares_are_a_softmax_in_which_unknown_comes_last(
    scores: list[float], temperature: float | None, penalty: float, shares: list[float]
) -> None:
    found = probabilities(scores, **({} if temperature is None else {"temperature": temperature}), penalty=penalty)
    assert found == shares


def test_without_a_penalty_the_shares_are_those_of_the_scores() -> None:
    assert probabilities([1.0], 1.0) == probabilities([1.0], 1.0, 0.0)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-20, 20), max_size=12), st.floats(0, 1))
def test_shares_are_whole_units_that_sum_to_one_in_the_order_of_the_scores(scores: list[float], penalty: float) -> None:
    ranked = sorted(scores, reverse=True)
    found = [round(share * UNITS) for share in probabilities(ranked, penalty=penalty)]
    assert sum(found) == UNITS == 10_000 and min(found) >= 0
    assert all(one + 1 >= other for one, other in pairwise(found[:-1]))


ASKED = cause("one", term("a", 2.0, -1.0), term("b", 1.0), term("c", 4.0))


@pytest.mark.parametrize(
    ("yes", "no", "unknown", "share"),
    [
        ("", "", "", 0.0),
        ("a", "b", "", 0.0),
        ("a", "", "b", 0.25),
        ("b", "", "a", 0.75),
        ("", "", "a b", 1.0),
    ],
)
def test_the_unanswered_share_is_that_of_the_weight_that_was_asked_for_in_vain(
    yes: str, no: str, unknown: str, share: float
) -> None:
    asked = {f.measure: f for f in findings(yes, no, unknown)}
    assert unanswered_share([ASKED], asked) == pytest.approx(share)


def test_a_measurement_is_unanswered_only_when_all_its_readings_are_and_weighs_what_the_strongest_does() -> None:
    two = cause("two", term("probe-refused", 2.0), term("event-refused", 1.0), term("a", 3.0))
    more = cause("more", term("probe-refused", 3.0), term("a", 1.0))

    def share(*found: Finding) -> float:
        return unanswered_share([two, more], {f.measure: f for f in found})

    weak = cause("weak", term("a", 0.2), term("b", 0.3))
    assert unanswered_share([weak], {f.measure: f for f in findings("a", "", "b")}) == pytest.approx(0.6)
    other = finding("a", True)
    assert share(finding("probe-refused", None), finding("event-refused", None), other) == pytest.approx(0.5)
    assert share(finding("probe-refused", None), finding("event-refused", False), other) == 0.0
    assert share(finding("probe-refused", True), finding("event-refused", None), other) == 0.0


def worse(*slugs: str, slug: str = "lesser", score: float = 1.0, excluded: bool = False) -> ScoredCause:
    rule = (Exclusion(when={"a": True}, sentence=WORDS),) if excluded else ()
    own = cause(slug, term("a"), title=Text(slug), contributes_to=frozenset(slugs), exclusions=rule)
    return replace(score_cause(own, {"a": finding("a", True)}), score=score)


@pytest.mark.parametrize(
    ("lesser", "rivals", "named"),
    [
        (worse("r1"), [worse(slug="r1", score=1.1)], "r1"),
        (worse("r1"), [worse(slug="r1", score=1.0)], "r1"),
        (worse("r1"), [worse(slug="r1", score=0.9)], ""),
        (worse("r1", score=-2.0), [worse(slug="r1", score=-1.0)], ""),
        (worse("r1", score=-2.0), [worse(slug="r1", score=0.0)], "r1"),
        (worse("r1"), [worse(slug="r1", score=2.0, excluded=True)], ""),
        (worse("r1", excluded=True), [worse(slug="r1", score=2.0)], ""),
        (worse("r1"), [worse(slug="r2", score=2.0)], ""),
        (worse("r1", "r2"), [worse(slug="r1", score=3.0), worse(slug="r2", score=2.0)], "r1"),
        (worse("r1", "r2"), [worse(slug="r1", score=2.0), worse(slug="r2", score=3.0)], "r2"),
        (worse("r1", "r2"), [worse(slug="r1", score=2.0), worse(slug="r2", score=2.0)], "r2"),
    ],
)
def test_a_cause_contributes_to_the_strongest_of_those_that_it_makes_worse(
    lesser: ScoredCause, rivals: list[ScoredCause], named: str
) -> None:
    found = lower_contributing([lesser, *rivals])
    assert found[1:] == rivals
    added = [t for t in found[0].terms if t.measure == "contributes"]
    assert [t.sentence for t in added] == ([contributing_term(Text(named)).sentence] if named else [])
    assert not named or f'"{named}"' in added[0].sentence.en
    assert found[0].score == pytest.approx(lesser.score + sum(t.weight for t in added))
    assert all(t.weight < 0 for t in added) and len(added) == bool(named)


class Opinion:
    name, version = "forest", "7"

    def __init__(self, **odds: float) -> None:
        self.odds = {slug.replace("_", "-"): value for slug, value in odds.items()}

    def log_odds(self, findings: Sequence[Finding]) -> Mapping[str, float]:
        return self.odds


FOUND = findings("etcd-fsync-one-slow etcd-commit-one-slow", "etcd-rtt-rise")


@pytest.mark.parametrize(("odds", "weight"), [(0.3, 0.3), (9.0, 0.5), (-9.0, -0.5), (0.0, None)])
def test_a_models_opinion_is_one_bounded_term_of_its_cause(odds: float, weight: float | None) -> None:
    verdict = rank(scope("etcd"), FOUND, model=Opinion(etcd_slow_disk=odds))
    by_cause = {c.cause: {t.measure: t.weight for t in c.terms} for c in verdict.causes}
    assert by_cause["etcd-slow-disk"].get("model") == weight
    assert all("model" not in terms for slug, terms in by_cause.items() if slug != "etcd-slow-disk")
    assert (verdict.ranker_name, verdict.ranker_version) == ("expert-terms+forest", "2+7")


def test_without_a_model_the_ranker_names_itself() -> None:
    verdict = rank(scope("etcd"), FOUND, revision=3)
    assert (verdict.ranker_name, verdict.ranker_version, verdict.revision) == ("expert-terms", "2", 3)
    assert rank(scope("etcd"), FOUND).revision == 1


def test_causes_stand_in_order_with_their_weightiest_terms_first_and_none_is_negligible() -> None:
    verdict = rank(scope("probe"), findings("probe-transport-timeout probe-https listen-overflows probe-peers-fail"))
    assert [c.position for c in verdict.causes] == list(range(1, len(verdict.causes) + 1)) and len(verdict.causes) > 2
    shares = [c.probability for c in verdict.causes]
    assert shares == sorted(shares, reverse=True) and shares[-1] >= 0.0025
    assert sum(shares) + verdict.unknown_probability == pytest.approx(1)
    for one in verdict.causes:
        assert [t.measure for t in one.terms] == [
            t.measure for t in sorted(one.terms, key=lambda t: (-abs(t.weight), t.measure))
        ]


def test_a_higher_temperature_is_less_sure() -> None:
    sure, unsure = (rank(scope("etcd"), FOUND, temperature=t).causes[0].probability for t in (0.5, 2.0))
    assert sure > unsure


def test_measures_without_an_answer_take_from_every_cause() -> None:
    measures = sorted({m for c in all_causes().values() if Symptom.ETCD in c.symptoms for m in c.measures})
    silent = [f for f in findings("", "", " ".join(measures)) if f.measure not in {g.measure for g in FOUND}]
    answered, unanswered = (rank(scope("etcd"), [*FOUND, *more]) for more in ([], silent))
    first, second = answered.causes[0], unanswered.causes[0]
    assert first.cause == second.cause
    assert first.probability * 0.7 < second.probability < first.probability * 0.9


def test_where_two_findings_are_of_one_measure_the_same_one_counts_in_any_order() -> None:
    twice = [finding("etcd-space-alarm", True, subject="etcd1"), finding("etcd-space-alarm", False, subject="etcd2")]
    assert rank(scope("etcd"), twice).causes == rank(scope("etcd"), twice[::-1]).causes


def test_roles_are_given_only_where_the_verdict_is_decided() -> None:
    decided = rank(scope("etcd"), findings("etcd-space-alarm", "etcd-leader-switch"))
    assert decided.state is VerdictState.RANKED and decided.next_question is None
    assert [c.role for c in decided.causes].count(Role.PRIMARY) == 1 and decided.causes[0].role is Role.PRIMARY
    assert decided.causes[0].terms[0].outcome is Outcome.FOR
