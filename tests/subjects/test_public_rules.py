"""What the alerts of public rule sets are about, judged by readings of the rules that no code of this project made."""

import json
import re

import pytest

from subjects.tables import reporter_named
from tools.alert_rules import PAGE, TABLE, Rule, is_right, page, rules, table

RULES = [rule for rule in rules() if rule.is_read]
FIRM = [rule for rule in RULES if "doubt" not in rule.facts]


def named(rule: Rule) -> str:
    return f"{rule.set}-{rule.name}-{rule.facts.get('variant', '')}"


def test_the_sets_have_several_hundred_alerts_by_name() -> None:
    assert len({rule.name for rule in RULES}) >= 600
    assert len({rule.set for rule in RULES}) == 10


@pytest.mark.parametrize("name", sorted({rule.set for rule in RULES}))
def test_subject_and_family_are_right_for_at_least_97_of_100_alerts_of_a_set(name: str) -> None:
    of_set = [rule for rule in RULES if rule.set == name and rule not in DOUBTED]
    verdicts = [is_right(rule, rule.decided()) for rule in of_set]
    wrong = [named(rule) for rule, right in zip(of_set, verdicts, strict=True) if not all(right)]
    assert sum(subject for subject, _ in verdicts) >= 0.97 * len(of_set), wrong
    assert sum(family for _, family in verdicts) >= 0.97 * len(of_set), wrong


def test_over_all_sets_doubtful_readings_included_it_is_right_for_98_and_99_of_100() -> None:
    verdicts = [is_right(rule, rule.decided()) for rule in RULES]
    assert sum(subject for subject, _ in verdicts) >= 0.98 * len(RULES)
    assert sum(family for _, family in verdicts) >= 0.99 * len(RULES)


# Another reading can be defended, as the facts themselves note.
DOUBTED = [rule for rule in RULES if "doubt" in rule.facts]


@pytest.mark.parametrize("rule", [r for r in RULES if r.truth["reporter"]], ids=named)
def test_a_reporter_is_never_the_subject(rule: Rule) -> None:
    ref = rule.decided().ref
    about = reporter_named([ref.name.rpartition("/")[2]]) if ref else None
    assert about is None or reporter_named([rule.truth["name"] or ""]) == about


def test_the_table_and_the_page_are_made_from_the_rule_files() -> None:
    assert json.loads(TABLE.read_text(encoding="utf-8")) == table()
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_rule_that_nobody_wrote_down_is_decided_by_the_metric_of_its_expression() -> None:
    """The same alerts under other names, with the expression in the link, as Prometheus sends it."""
    right = total = 0
    for rule in FIRM:
        metrics = [m for m in rule.facts.get("metrics") or [] if m != "up"]
        if "labels" not in rule.facts or not metrics or rule.truth["kind"] is None:
            continue
        total += 1
        right += all(is_right(rule, rule.decided_as("OurOwnName", f"http://p/graph?g0.expr={metrics[0]}%7B%7D+%3E+0")))
    assert total > 300 and right >= 0.9 * total, (right, total)


def test_names_of_tables_hold_no_sentence_of_the_rule_files() -> None:
    assert not re.search(r"[a-z] [a-z]+ [a-z]+ [a-z]+ [a-z]+", TABLE.read_text(encoding="utf-8"))
