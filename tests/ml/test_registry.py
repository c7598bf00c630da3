"""Model files load only as what their cards say."""

from pathlib import Path

import pytest

from causes.catalogue import all_causes
from causes.expectations import expectations
from causes.rank import rank
from domain.errors import Refused
from ml.registry import SHIPPED, card_path, load, read_card
from ml.train import Expectation, train
from tests.causes.scenes import findings, scope

TINY = [Expectation("one", (("a", 3.0),)), Expectation("two", (("b", 3.0),))]


def test_the_shipped_model_matches_its_card_which_calls_it_synthetic() -> None:
    card = read_card()
    assert card.data.startswith("synthetic") and "accuracy" in card.what_it_is_not
    assert load().measures == tuple(card.measures)
    assert card.causes == list(all_causes())


def test_training_again_gives_the_same_data_and_the_same_schema(tmp_path: Path) -> None:
    again = train(expectations(), tmp_path / SHIPPED.name)
    shipped = read_card()
    assert (again.data_hash, again.schema_hash) == (shipped.data_hash, shipped.schema_hash)


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.skops"
    train(TINY, path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(Refused, match="checksum"):
        load(path)


def test_a_missing_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.skops"
    train(TINY, path)
    card_path(path).unlink()
    with pytest.raises(Refused, match="card"):
        load(path)


def test_the_models_voice_is_at_most_half_a_nat_and_silent_without_evidence() -> None:
    model = load()
    assert model.log_odds([]) == {}
    found = findings("etcd-fsync-one-slow etcd-commit-one-slow")
    assert all(abs(v) <= 0.5 for v in model.log_odds(found).values())
    verdict = rank(scope("etcd"), found, model=model)
    assert verdict.causes[0].cause == "etcd-slow-disk"
    assert any(t.measure == "model" and abs(t.weight) <= 0.5 for t in verdict.causes[0].terms)
