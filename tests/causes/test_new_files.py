"""A new check and a new cause are one new file each: found, asked, ranked, shown and documented, with no list edited."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

import causes.catalogue
import evidence.checks
from causes.catalogue import all_causes
from causes.describe import catalogue_text
from causes.questions import questions
from causes.rank import rank
from evidence.checks import all_checks
from evidence.collect import collect
from evidence.recording import ReplayTransports
from tests.causes.scenes import scope

CHECK = """
from domain.text import Text
from evidence.check import Ask, Check, Measure, MeasureResult


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    return {"moon-full": MeasureResult(True, Text.rendered("The moon is full.", "今夜月圆。"), 1.0)}


CHECK = Check(
    "moon", Text.rendered("Which phase has the moon?", "月相如何？"),
    (Measure("moon-full", Text.rendered("Is the moon full?", "是否满月？"), "share"),), lambda scope: True, _collect,
)
"""
CAUSE = """
from causes.cause import Cause, Sentences, Symptom, Term
from domain.text import Text

CAUSE = Cause(
    slug="full-moon", layer="infrastructure", title=Text.rendered("Full moon", "满月"),
    symptoms=frozenset({Symptom.PROBE}), prior=-1.0,
    terms=(Term("moon-full", supports=4.0, opposes=-1.0),),
    sentences={
        "moon-full": Sentences(
            supports=Text.rendered("It shines on {subject}.", "月光照着 {subject}。"),
            opposes=Text.rendered("No.", "否。"),
        ),
    },
    next_steps=(Text.rendered("kubectl -n <ns> wait pod/<pod> --for=morning", "kubectl -n <ns> wait pod/<pod> --for=morning"),),
    references=("https://example.org/moon",), weights_from="An almanac.",
)
"""


@pytest.fixture
def moon(tmp_path: Path) -> Iterator[None]:
    rooms = {evidence.checks: ("moon.py", CHECK), causes.catalogue: ("full_moon.py", CAUSE)}
    for room, (name, text) in rooms.items():
        folder = tmp_path / room.__name__
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        room.__path__.append(str(folder))
    _forget()
    yield
    for room, (name, _) in rooms.items():
        room.__path__.remove(str(tmp_path / room.__name__))
        sys.modules.pop(f"{room.__name__}.{name.removesuffix('.py')}", None)
    _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    for found in (all_causes, all_checks, questions):
        found.cache_clear()


def test_a_new_check_is_asked_and_a_new_cause_ranked_by_it(moon: None) -> None:
    there = scope("probe")
    found = collect(there, ReplayTransports(())).findings
    (full,) = [f for f in found if f.measure == "moon-full"]
    assert full.seen and full.query == "" and rank(there, found).causes[0].cause == "full-moon"
    verdict = rank(there, [full])
    first = verdict.causes[0]
    assert (first.cause, first.next_steps[0].en) == ("full-moon", "kubectl -n shop wait pod/cart-7d9f --for=morning")
    assert "The moon is full." in verdict.headline.en and "今夜月圆" in verdict.headline.in_language("zh")


@pytest.mark.django_db
def test_a_new_cause_and_a_new_check_are_shown_and_documented(moon: None, client: Client) -> None:
    client.force_login(User.objects.create_user("ada", password="a long enough one"))
    assert b"full-moon" in client.get("/causes/").content
    shown_checks = {entry["check"]: entry for entry in client.get("/api/v1/checks/").json()}
    assert "moon" in shown_checks
    assert "full-moon" in {entry["cause"] for entry in client.get("/api/v1/causes/").json()}
    assert "### full-moon" in catalogue_text() and "An almanac." in catalogue_text()


def test_without_the_files_they_are_gone() -> None:
    assert "full-moon" not in all_causes() and "moon" not in {c.slug for c in all_checks()}
