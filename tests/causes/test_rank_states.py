"""At which shares and fits a verdict is decided, and what it then holds: with a small catalogue of the tests' own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from causes.cause import Cause
from causes.rank import rank
from domain.entities import EntityKind
from domain.findings import Finding
from domain.scope import Scope
from domain.verdict import Role, Verdict, VerdictState
from tests.causes.scenes import NODE, POD, START, cause, finding, findings, scope, term

Ranked = Callable[..., Verdict]
THERE = replace(scope("probe"), entities=(POD, NODE))


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> Ranked:
    """Ranks with these causes alone, at temperature 1."""

    def of(causes: list[Cause], *found: Finding, where: Scope = THERE) -> Verdict:
        monkeypatch.setattr("causes.candidates.all_causes", lambda: {c.slug: c for c in causes})
        return rank(where, found, temperature=1.0)

    return of


@pytest.mark.parametrize(
    ("prior", "share", "state"),
    [
        (-2.0, 0.5, VerdictState.RANKED),
        (-2.001, 0.4998, VerdictState.UNKNOWN),
        (-1.0, 0.7311, VerdictState.RANKED),
    ],
)
def test_a_first_cause_with_half_of_the_probability_is_decided(
    ranked: Ranked, prior: float, share: float, state: VerdictState
) -> None:
    verdict = ranked([cause("one", term("a"), prior=prior)], finding("a", True))
    assert (verdict.causes[0].probability, verdict.state) == (share, state)
    role = Role.PRIMARY if state is VerdictState.RANKED else Role.ALTERNATIVE
    assert verdict.causes[0].role is role


@pytest.mark.parametrize(
    ("against", "state"), [(-0.9, VerdictState.RANKED), (-1.0, VerdictState.RANKED), (-1.1, VerdictState.UNKNOWN)]
)
def test_a_first_cause_needs_two_thirds_of_the_evidence(ranked: Ranked, against: float, state: VerdictState) -> None:
    verdict = ranked([cause("one", term("a"), term("b", 1.0, against), prior=-0.1)], *findings("a", "b"))
    assert verdict.state is state and verdict.causes[0].probability > 0.5


def test_a_cause_that_means_that_nothing_is_broken_is_no_fault(ranked: Ranked) -> None:
    calm = cause("calm", term("a"), layer="no-fault", no_fault=True)
    assert ranked([calm], finding("a", True)).state is VerdictState.NO_FAULT
    assert ranked([replace(calm, prior=-3.0)], finding("a", True)).state is VerdictState.UNKNOWN
    assert ranked([calm]).state is VerdictState.UNKNOWN


@pytest.mark.parametrize(("prior", "share"), [(-1.98, 0.0025), (-2.03, None)])
def test_a_cause_below_a_quarter_of_a_percent_is_part_of_unknown(
    ranked: Ranked, prior: float, share: float | None
) -> None:
    first = cause("one", term("a", 4.0), term("b", 2.0), prior=-0.0)
    verdict = ranked([first, cause("two", term("c"), prior=prior)], *findings("a b c"))
    assert [c.probability for c in verdict.causes[1:]] == ([] if share is None else [share])
    assert sum(c.probability for c in verdict.causes) + verdict.unknown_probability == pytest.approx(1.0)


def test_equal_causes_stand_in_the_order_of_their_slugs(ranked: Ranked) -> None:
    same = [cause(slug, term("a")) for slug in ("c", "a", "b")]
    assert [c.cause for c in ranked(same, finding("a", True)).causes] == ["a", "b", "c"]


def test_what_is_missing_is_asked_of_the_causes_that_run_or_of_all_where_none_does(ranked: Ranked) -> None:
    causes = [cause("one", term("a"), term("open-one", 3.0)), cause("two", term("b"), term("open-two", 3.0))]
    running = [str(text) for text in ranked(causes, finding("a", True)).missing]
    assert len(running) == 1 and "one" in running[0]
    assert len(ranked(causes).missing) == 4


def at(seconds: float) -> dict[str, object]:
    return {"first_seen_at": START + timedelta(seconds=seconds)}


def test_only_a_decided_first_cause_has_consequences(ranked: Ranked) -> None:
    found = [
        finding("a", True, **at(0)),
        finding("b", True, **at(0)),
        finding("kubelet-readiness-failing", True, **at(9)),
    ]
    first, second = (
        cause(slug, term(m), about=EntityKind.HOST, prior=p) for slug, m, p in (("one", "a", -0.5), ("two", "b", -1.5))
    )
    decided = ranked([first, second], *found)
    assert [c.cause for c in decided.causes] == ["one", "two"] and decided.state is VerdictState.RANKED
    assert [[str(t) for t in c.consequences] for c in decided.causes] == [
        ["kubelet-readiness-failing came out True."],
        [],
    ]
    undecided = ranked([first, replace(second, prior=-0.5)], *found)
    assert undecided.state is VerdictState.UNKNOWN
    assert [c.consequences for c in undecided.causes] == [(), ()]


def test_the_first_is_primary_and_others_contribute_or_are_alternatives(ranked: Ranked) -> None:
    causes = [
        cause("one", term("a", 4.0), prior=-0.5),
        cause("lesser", term("b", 3.0), contributes_to=frozenset({"one"})),
        cause("other", term("c", 3.0)),
    ]
    verdict = ranked(causes, *findings("a b c"))
    assert {c.cause: c.role for c in verdict.causes} == {
        "one": Role.PRIMARY, "lesser": Role.CONTRIBUTING, "other": Role.ALTERNATIVE,
    }  # fmt: skip
    assert not verdict.causes[0].consequences


def test_the_entity_of_a_cause_is_its_culprits_key_or_nothing(ranked: Ranked) -> None:
    on_pod, on_host = cause("one", term("a")), cause("two", term("a"), about=EntityKind.HOST)
    verdict = ranked([on_pod, on_host], finding("a", True), where=scope("probe"))
    assert {c.cause: c.entity for c in verdict.causes} == {"one": POD.key, "two": ""}


def test_without_a_model_no_term_is_one(ranked: Ranked) -> None:
    verdict = ranked([cause("one", term("a"))], finding("a", True))
    assert [t.measure for t in verdict.causes[0].terms] == ["a"]


@pytest.mark.parametrize(("weight", "mostly_unanswered"), [(1.9, False), (2.0, False), (2.1, True)])
def test_the_headline_differs_when_more_than_half_of_what_was_asked_had_no_answer(
    ranked: Ranked, weight: float, mostly_unanswered: bool
) -> None:
    causes = [cause("one", term("a", 2.0), term("b", weight))]
    answered = ranked(causes, finding("a", False), finding("b", False)).headline
    assert (ranked(causes, finding("a", False), finding("b", None)).headline != answered) is mostly_unanswered
