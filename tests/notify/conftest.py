"""A clock that is moved by hand, and two small systems of the tests' own with their fakes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from notify import targets
from tests.fakes.minimal_systems import BOARD, SHOUT, Board, Wall
from tests.notify.scene import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Ahead of the record's own, so that what was just written is due."""
    return ManualClock(timezone.now() + timedelta(minutes=1))


@pytest.fixture
def own_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own systems in the place of those that are found by walking."""
    monkeypatch.setattr(targets, "all_systems", lambda: {"board": BOARD, "shout": SHOUT})


@pytest.fixture
def board() -> Iterator[Board]:
    with Board() as fake:
        yield fake


@pytest.fixture
def wall() -> Iterator[Wall]:
    with Wall() as fake:
        yield fake
