"""The declarations of the lab: known truths, parameters that follow from the seed, and a list that is in step."""

from pathlib import Path

import pytest

from causes.catalogue import all_causes
from evidence.bundles import Bundle
from lab import listing, planning
from lab.episode import Setting, Truth, drawing
from lab.episodes import all_episodes
from lab.playing import _concerns
from lab.recording import BUNDLES, place_of
from lab.stage.namespace import Namespace, template
from lab.stage.sink import Sink, Taken

NODE = sorted(name for name, episode in all_episodes().items() if episode.node and not episode.in_field)
RECORDED = sorted((BUNDLES / "episodes").rglob("*.zip"))


def named(name: str, seed: int) -> tuple[str, str]:
    """Namespace and app of an episode, as its first draws make them."""
    make_namespace = Namespace(None, drawing(name, seed))  # type: ignore[arg-type]
    return make_namespace.namespace, make_namespace.app


def test_there_are_enough_declarations_each_with_a_name_and_a_title_of_its_own() -> None:
    assert len(NODE) >= 40 and len(all_episodes()) >= 50
    assert len({episode.title for episode in all_episodes().values()}) == len(all_episodes())
    assert all(name == episode.name for name, episode in all_episodes().items())


@pytest.mark.parametrize("name", NODE)
def test_a_truth_is_in_the_catalogue_or_is_that_nothing_is_broken(name: str) -> None:
    assert all_episodes()[name].cause in {*all_causes(), "no-fault", ""}
    assert all_episodes()[name].family


@pytest.mark.parametrize("name", NODE)
def test_a_seed_draws_the_same_names_again_and_another_seed_others(name: str) -> None:
    drawn = [named(name, seed) for seed in (1, 2, 3, 4)]
    assert drawn == [named(name, seed) for seed in (1, 2, 3, 4)]
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_two_episodes_of_a_round_want_the_same_namespace(seed: int) -> None:
    for names in planning.rounds(sorted(all_episodes()), seed, again=True):
        assert len({named(name, seed)[0] for name in names}) == len(names)


def test_a_pods_limits_follow_from_the_seed() -> None:
    drawn = [template(drawing("probe-x", seed), {"uses": "lock"}) for seed in (1, 1, 2, 3)]
    limits = [made["spec"]["containers"][0]["resources"]["limits"] for made in drawn]
    assert limits[0] == limits[1] and len({str(limit) for limit in limits}) > 1
    assert {"name": "SW_USES", "value": "lock"} in drawn[0]["spec"]["containers"][0]["env"]


def test_rounds_hold_every_episode_once_and_those_that_need_the_node_for_themselves_alone() -> None:
    planned = list(planning.rounds(sorted(all_episodes()), 1, again=True))
    assert sorted(name for names in planned for name in names) == sorted(all_episodes())
    assert all(len(names) <= (planning.IN_FIELD if names[0].startswith("field-") else planning.AT_ONCE)
               for names in planned)  # fmt: skip
    for names in planned:
        together = all(all_episodes()[n].node and not all_episodes()[n].alone for n in names)
        assert len(names) == 1 or together


def test_seeds_decide_which_part_a_bundle_belongs_to() -> None:
    assert place_of("probe-x", 0) == BUNDLES / "probe-x"
    assert place_of("probe-x", 2).parent.name == "development"
    assert place_of("probe-x", 3).parent.name == "kept"


def test_an_episode_keeps_the_deliveries_of_its_own_namespace(tmp_path: Path) -> None:
    sink = Sink()
    bodies = [b'{"alerts":[{"labels":{"namespace":"shop-1","pod":"a"}}]}',
              b'{"alerts":[{"labels":{"namespace":"shop-12","pod":"a"}}]}']  # fmt: skip
    taken = [Taken("alertmanager", "prod", None, {}, body) for body in bodies]  # type: ignore[arg-type]
    setting = Setting(None, Truth("", ""), namespace="shop-1")  # type: ignore[arg-type]
    assert [_concerns(t, setting) for t in taken] == [True, False]
    sink.close()


def test_the_guide_lists_what_is_declared() -> None:
    readme = listing.README.read_text()
    assert listing.with_table(readme) == readme, "run `python -m lab readme`"


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_a_recorded_episode_names_its_origin(path: Path) -> None:
    bundle = Bundle.load(path)
    assert path == place_of(bundle.declaration, bundle.seed)
    declared = all_episodes()[bundle.declaration]
    assert (bundle.truth.cause if bundle.truth else "") == declared.cause
    assert bundle.family == declared.family and bundle.stage and bundle.deliveries
