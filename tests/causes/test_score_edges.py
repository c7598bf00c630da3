"""What one cause gets from its terms at their edges: outcomes, weights, exclusions and fit."""

import pytest

from causes.cause import Condition, Exclusion, Sentences, Term
from causes.score import NOT_ASKED, evaluate, excludes, number, score_cause
from domain.findings import Finding
from domain.text import Text
from domain.verdict import Outcome, TermResult
from tests.causes.scenes import AS_OF, START, WORDS, cause, finding, findings, sentences, term

FOR, AGAINST, UNKNOWN = (Outcome.FOR, 2.0), (Outcome.AGAINST, -1.5), (Outcome.UNKNOWN, 0.0)


def evaluated(own: Term, found: Finding | None) -> TermResult:
    return evaluate(own, sentences(own), found)


def by_measure(*found: Finding) -> dict[str, Finding]:
    return {f.measure: f for f in found}


@pytest.mark.parametrize(
    ("condition", "seen", "value", "expected"),
    [
        (Condition.SEEN, True, None, FOR),
        (Condition.SEEN, False, None, AGAINST),
        (Condition.SEEN, None, None, UNKNOWN),
        (Condition.NOT_SEEN, True, None, AGAINST),
        (Condition.NOT_SEEN, False, None, FOR),
        (Condition.NOT_SEEN, None, None, UNKNOWN),
        (Condition.OVER, True, 5.1, FOR),
        (Condition.OVER, False, 5.1, FOR),
        (Condition.OVER, True, 5.0, AGAINST),
        (Condition.OVER, True, 4.9, AGAINST),
        (Condition.OVER, True, None, UNKNOWN),
        (Condition.OVER, None, 5.1, UNKNOWN),
        (Condition.UNDER, True, 4.9, FOR),
        (Condition.UNDER, True, 5.0, AGAINST),
        (Condition.UNDER, True, 5.1, AGAINST),
        (Condition.UNDER, True, None, UNKNOWN),
        (Condition.UNDER, None, 4.9, UNKNOWN),
    ],
)
def test_a_term_is_for_or_against_its_cause_or_unknown(
    condition: Condition, seen: bool | None, value: float | None, expected: tuple[Outcome, float]
) -> None:
    limit = 5.0 if condition in (Condition.OVER, Condition.UNDER) else None
    result = evaluated(term("m", 2.0, -1.5, when=condition, limit=limit), finding("m", seen, value=value))
    assert (result.outcome, result.weight) == expected
    assert (result.why_unknown is None) is (expected is not UNKNOWN)


def test_a_term_carries_what_a_person_needs_to_check_it() -> None:
    asked = {"query": "up", "from_": START, "to": AS_OF, "value": 7.0, "unit": "s", "limit": 3.0, "connection": "main"}
    found = finding("m", True, **asked)
    result = evaluated(term("m"), found)
    assert {name: getattr(result, name) for name in asked} == asked
    own = evaluated(term("m", when=Condition.OVER, limit=5.0), found)
    assert own.limit == 5.0


def test_a_term_that_nobody_asked_for_or_answered_has_the_reason() -> None:
    unasked = evaluated(term("m"), None)
    assert (unasked.outcome, unasked.weight, unasked.why_unknown) == (Outcome.UNKNOWN, 0.0, NOT_ASKED)
    silent = finding("m", None)
    assert evaluated(term("m"), silent).why_unknown == silent.why_unknown != NOT_ASKED
    assert evaluated(term("m"), silent).sentence == silent.sentence
    without = evaluated(term("m", when=Condition.OVER, limit=1.0), finding("m", True))
    assert without.why_unknown == NOT_ASKED


def test_the_score_is_the_prior_and_every_counted_term_and_what_history_and_models_add() -> None:
    extra = TermResult("history", Outcome.FOR, 0.25, WORDS)
    result = score_cause(
        cause("one", term("a", 2.0), term("b", 3.0, -1.5), term("c", 1.0), prior=-1.0),
        by_measure(*findings("a", "b")),
        (extra,),
    )
    assert result.score == pytest.approx(-1.0 + 2.0 - 1.5 + 0.25)
    assert [(t.measure, t.weight) for t in result.terms] == [("a", 2.0), ("b", -1.5), ("c", 0.0), ("history", 0.25)]
    assert (result.slug, result.follows, result.excluded) == ("one", "", None)


def test_a_term_that_could_not_oppose_its_cause_is_not_shown_when_its_condition_does_not_hold() -> None:
    result = score_cause(cause("one", term("a"), term("b", 2.0, -1.0)), by_measure(*findings("", "a b")))
    assert [t.measure for t in result.terms] == ["b"]


def test_one_more_term_is_added_to_the_sum() -> None:
    before = score_cause(cause("one", term("a")), by_measure(*findings("a")))
    after = before.with_term(TermResult("topology", Outcome.AGAINST, -2.0, WORDS))
    assert after.score == before.score - 2.0
    assert [t.measure for t in after.terms] == ["a", "topology"]


@pytest.mark.parametrize(
    ("weights", "seen", "counted"),
    [
        ({"a": (2.0, 0.0), "b": (3.0, 0.0)}, "a b", [0.0, 3.0]),
        ({"a": (3.0, 0.0), "b": (2.0, 0.0)}, "a b", [3.0, 0.0]),
        ({"a": (2.0, 0.0), "b": (2.0, 0.0)}, "a b", [2.0, 0.0]),
        ({"a": (1.0, 0.0), "b": (3.0, -2.0)}, "a", [0.0, -2.0]),
        ({"a": (3.0, 0.0), "b": (3.0, -2.0)}, "a", [3.0, 0.0]),
        ({"a": (1.0, -3.0), "b": (3.0, -2.0)}, "", [-3.0, 0.0]),
    ],
)
def test_of_two_readings_of_one_measurement_the_stronger_counts_either_way(
    weights: dict[str, tuple[float, float]], seen: str, counted: list[float]
) -> None:
    terms = [term(m, *w, group="one clock") for m, w in weights.items()]
    no = " ".join(sorted(set(weights) - set(seen.split())))
    result = score_cause(cause("one", *terms), by_measure(*findings(seen, no)))
    assert [t.weight for t in result.terms] == counted


@pytest.mark.parametrize(
    ("yes", "no", "fit"), [("a", "b", 2 / 3), ("a b", "", 1.0), ("", "a b", 0.0), ("", "", 0.0), ("a", "", 1.0)]
)
def test_the_fit_is_the_share_of_the_weight_that_supports_the_cause(yes: str, no: str, fit: float) -> None:
    scored = score_cause(cause("one", term("a", 2.0, -2.0), term("b", 2.0, -1.0)), by_measure(*findings(yes, no)))
    assert scored.fit == pytest.approx(fit)


def test_weak_evidence_counts_for_the_fit_too() -> None:
    scored = score_cause(cause("one", term("a", 0.5, -0.5), term("b", 0.5, -0.3)), by_measure(*findings("a", "b")))
    assert scored.fit == pytest.approx(0.5 / 0.8)


@pytest.mark.parametrize(
    ("yes", "no", "excluded"),
    [("a", "b", True), ("a b", "", False), ("", "a b", False), ("a", "", False), ("", "b", False), ("", "", False)],
)
def test_an_exclusion_needs_all_its_conditions_and_unknown_never_excludes(yes: str, no: str, excluded: bool) -> None:
    rule, found = Exclusion(when={"a": True, "b": False}, sentence=WORDS), by_measure(*findings(yes, no))
    assert excludes(rule, found) is excluded
    never = Exclusion(when={"c": True}, sentence=WORDS)
    scored = score_cause(cause("one", term("c"), exclusions=(never, rule)), found)
    assert scored.excluded == (rule if excluded else None)
    unknown = by_measure(finding("a", None), finding("b", False))
    assert not excludes(rule, unknown)


@pytest.mark.parametrize(
    ("terms", "needs", "yes", "no", "supported"),
    [
        ([term("a", 0.5)], "", "a", "", True),
        ([term("a", 0.4)], "", "a", "", False),
        ([term("a", 2.0)], "", "", "a", False),
        ([term("a", 2.0, when=Condition.NOT_SEEN)], "", "", "a", False),
        ([term("a", 2.0, when=Condition.NOT_SEEN)], "a", "", "a", True),
        ([term("a", 0.4), term("b", 2.0)], "a", "a", "", True),
        ([term("a", 0.4), term("b", 2.0)], "a", "b", "", False),
        ([term("a", 0.4), term("b", 0.5)], "", "a b", "", True),
    ],
)
def test_a_cause_is_supported_by_an_observation_that_matters(
    terms: list, needs: str, yes: str, no: str, supported: bool
) -> None:
    scored = score_cause(cause("one", *terms, needs=frozenset(needs.split())), by_measure(*findings(yes, no)))
    assert scored.supported is supported


def test_history_alone_does_not_support_a_cause() -> None:
    past = TermResult("history", Outcome.FOR, 3.0, WORDS)
    assert not score_cause(cause("one", term("a")), {}, (past,)).supported


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.123456, "0.123"), (1234.5, "1.23e+03"), (12.0, "12")])
def test_a_number_has_three_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seen", "subject", "meaning"),
    [
        (True, "etcd1", "for etcd1: 0.25 s of 0.1"),
        (True, "", "for it: 0.25 s of 0.1"),
        (False, "etcd1", "against etcd1: 0.25 s of 0.1"),
    ],
)
def test_a_sentence_is_what_was_found_and_what_it_means_for_the_cause(seen: bool, subject: str, meaning: str) -> None:
    def template(word: str) -> Text:
        return finding(f"{word} {{subject}}: {{value}} {{unit}} of {{limit}}", True).sentence

    found = finding("m", seen, value=0.25, unit="s", limit=0.1, subject=subject)
    result = evaluate(term("m", 2.0, -1.5), Sentences(supports=template("for"), opposes=template("against")), found)
    assert str(result.sentence) == f"{found.sentence} {meaning} came out True."
    chinese = result.sentence.in_language("zh")
    assert chinese.startswith(found.sentence.in_language("zh")) and "0.25 s of 0.1" in chinese
    assert subject in chinese and (bool(subject) or "该对象" in chinese)
