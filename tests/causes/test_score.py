"""Each term is for, against or unknown, with its weight and its sentence."""

import pytest

from causes.cause import Condition, Exclusion, Sentences, Term
from causes.score import NOT_ASKED, condition_met, evaluate, excludes
from domain.text import Text
from domain.verdict import Outcome
from tests.causes.scenes import finding

TERM = Term("a-measure", supports=1.5, opposes=-0.5)
SENTENCES = Sentences(supports=Text("{subject} shows it."), opposes=Text("It had room."))


@pytest.mark.parametrize(
    ("when", "seen", "value", "met"),
    [
        (Condition.SEEN, True, None, True),
        (Condition.SEEN, False, None, False),
        (Condition.NOT_SEEN, True, None, False),
        (Condition.NOT_SEEN, False, None, True),
        (Condition.OVER, True, 11.0, True),
        (Condition.OVER, True, 10.0, False),
        (Condition.UNDER, False, 9.0, True),
        (Condition.UNDER, False, 10.0, False),
        (Condition.OVER, True, None, None),
        (Condition.NOT_SEEN, None, None, None),
        (Condition.OVER, None, 11.0, None),
    ],
)
def test_a_condition_holds_or_not_or_is_unknown(
    when: Condition, seen: bool | None, value: float | None, met: bool | None
) -> None:
    limit = 10.0 if when in (Condition.OVER, Condition.UNDER) else None
    term = Term("a-measure", supports=1.0, when=when, limit=limit)
    assert condition_met(term, finding("a-measure", seen, value=value)) is met


@pytest.mark.parametrize(
    ("seen", "outcome", "weight", "sentence"),
    [
        (True, Outcome.FOR, 1.5, "a-measure came out True. node-1 shows it."),
        (False, Outcome.AGAINST, -0.5, "a-measure came out False. It had room."),
        (None, Outcome.UNKNOWN, 0.0, "a-measure came out None."),
    ],
)
def test_a_term_adds_its_weight_and_explains_it(
    seen: bool | None, outcome: Outcome, weight: float, sentence: str
) -> None:
    result = evaluate(TERM, SENTENCES, finding("a-measure", seen, subject="node-1"))
    assert (result.outcome, result.weight, result.sentence.en) == (outcome, weight, sentence)


def test_a_measure_that_nobody_asked_is_unknown_for_that_reason() -> None:
    result = evaluate(TERM, SENTENCES, None)
    assert (result.outcome, result.weight, result.why_unknown) == (Outcome.UNKNOWN, 0.0, NOT_ASKED)


def test_an_exclusion_needs_every_outcome_and_unknown_is_none() -> None:
    exclusion = Exclusion(when={"one": True, "other": False}, sentence=Text("why"))
    one, other = finding("one", True), finding("other", False)
    assert excludes(exclusion, {"one": one, "other": other})
    assert not excludes(exclusion, {"one": one})
    assert not excludes(exclusion, {"one": one, "other": finding("other", None)})
    assert not excludes(exclusion, {"one": one, "other": finding("other", True)})
