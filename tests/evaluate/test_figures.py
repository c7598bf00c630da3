"""docs/accuracy.md tells of this ranking and these recordings, not of older ones."""

import re
from pathlib import Path

from causes.fingerprint import catalogue_mark
from causes.probability import TEMPERATURE
from causes.rank import NAME, VERSION
from evaluate.sets import bundles_in
from evidence.bundles import Bundle

PAGE = Path("docs/accuracy.md")
PARTS = [Path("bundles") / kind / part for kind in ("field", "episodes") for part in ("kept", "development")]


def test_the_page_was_generated_with_the_ranking_of_this_version() -> None:
    ranker = f"by {NAME} {VERSION} at temperature {TEMPERATURE:g}, catalogue {catalogue_mark()}"
    again = "generate it anew: python manage.py evaluate --out docs/accuracy.md " + " ".join(map(str, PARTS))
    assert PAGE.read_text().count(ranker) == len(PARTS), again


def test_the_page_counts_every_recorded_episode() -> None:
    counted = [int(n) for n in re.findall(r"^(\d+) recorded incidents of", PAGE.read_text(), re.M)]
    assert counted == [len(bundles_in([part])) for part in PARTS] and sum(counted) >= 120


def test_both_parts_hold_real_episodes_of_the_same_declarations_and_of_different_seeds() -> None:
    for kept, development in (PARTS[:2], PARTS[2:]):
        parts = [[Bundle.load(path) for path in bundles_in([part])] for part in (kept, development)]
        seeds = [{b.seed for b in part} for part in parts]
        assert not seeds[0] & seeds[1]
        assert all(b.declaration and b.stage for part in parts for b in part)
        assert len({b.declaration for b in parts[0]}) >= 30
