"""The etcd declarations: each seed is a cluster of its own, the same one each time."""

import itertools

import pytest

from causes.catalogue import all_causes
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl
from lab.episode import drawing
from lab.episodes import all_episodes
from lab.episodes.etcd_scene import rules
from lab.episodes.etcd_shapes import LAYOUTS, STYLES, site
from lab.stage.etcd import Shape
from lab.stage.releases import DEBIAN, PINNED

NAMES = sorted(name for name in all_episodes() if name.startswith("etcd-"))


def test_there_are_seventeen_declarations() -> None:
    assert sorted([
        "etcd-switch-network-burst", "etcd-switch-slow-disk", "etcd-switch-frozen-leader", "etcd-move-leader",
        "etcd-follower-restart", "etcd-member-down", "etcd-quorum-lost", "etcd-space-alarm", "etcd-slow-disk-follower",
        "etcd-steady-latency", "etcd-steady-near-limit", "etcd-network-to-one-member", "etcd-leader-down",
        "etcd-leader-restart", "etcd-scrape-gap", "etcd-innocent-change", "etcd-frozen-follower",
    ]) == NAMES  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_truth_is_in_the_catalogue_or_empty_or_no_fault(name: str) -> None:
    assert all_episodes()[name].cause in {*all_causes(), "no-fault", ""}
    assert all_episodes()[name].family == "etcd"


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_draws_the_same_cluster_again_and_another_seed_another(name: str) -> None:
    drawn = [site(drawing(name, seed)) for seed in (1, 2, 3, 4)]
    assert drawn == [site(drawing(name, seed)) for seed in (1, 2, 3, 4)]
    assert len({(s.shape.puts_per_s, s.calm_s) for s in drawn}) == 4


@pytest.mark.parametrize(("seed", "release"), [(0, DEBIAN), (1, DEBIAN), (2, PINNED), (3, DEBIAN), (4, PINNED)])
def test_half_of_each_part_runs_on_the_new_versions(seed: int, release: object) -> None:
    drawn = site(drawing("etcd-move-leader", seed))
    assert drawn.shape.release == drawn.watchers.release == release


@pytest.mark.parametrize(("style", "layout"), [*itertools.product(STYLES, sorted(set(LAYOUTS)))])
def test_the_members_of_a_style_have_names_of_their_own_that_a_declaration_takes(
    style: object, layout: tuple[int, ...]
) -> None:
    seats = [style.seat(n, zone, 30) for n, zone in enumerate(layout)]  # type: ignore[attr-defined]
    for field in ("name", "instance", "host"):
        assert len({getattr(s, field) for s in seats}) == 3
    assert len({s.zone for s in seats}) == len(set(layout))
    members = [EtcdMemberDecl(name=s.name, endpoint="http://127.0.0.1:2379", instance=s.instance, zone=s.zone,
                              host=s.host) for s in seats]  # fmt: skip
    assert Connections(etcd=[EtcdDecl(name="etcd", member=members)]).etcd[0].member[2].name == seats[2].name


def test_what_an_episode_needs_is_not_left_to_the_draw() -> None:
    for seed in range(1, 30):
        drawn = site(drawing("etcd-space-alarm", seed), apart=True, quota_bytes=5)
        assert drawn.shape.quota_bytes == 5
        assert len({s.zone for s in drawn.shape.seats}) == 3


def test_the_notes_name_the_versions_and_what_was_drawn() -> None:
    described = site(drawing("etcd-space-alarm", 2)).description()
    assert described.startswith("etcd 3.6.5, Prometheus 3.5.0, Alertmanager 0.28.1; election timeout 1")


def test_rules_name_the_job_that_was_drawn_and_noise_is_one_rule_more() -> None:
    plain, noisy = rules("kube-etcd", noisy=False), rules("kube-etcd", noisy=True)
    assert 'up{job="kube-etcd"} == 0' in {r["expr"] for r in plain}
    assert [r["alert"] for r in noisy if r not in plain] == ["Watchdog"]
    assert len({r["alert"] for r in noisy}) == len(noisy)


def test_the_shape_without_a_draw_is_the_demos() -> None:
    assert [s.name for s in Shape().seats] == ["etcd1", "etcd2", "etcd3"]
    assert len({s.zone for s in Shape().seats}) == 3
