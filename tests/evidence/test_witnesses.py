"""A gap of the monitoring is one only when it came with the alert, is over, and what it hid worked on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.findings import Finding
from domain.scope import FaultTime
from domain.text import Text
from evidence.pods import STATUS
from tests.evidence.scene import NOON, Values, World, findings, scope, steady

FRESH, NONE, READY = steady(5.0), steady(0.0), steady(1.0)


def within(start_s: float, end_s: float, inside: float | None, outside: float | None = 0.0) -> Values:
    return lambda t: inside if start_s <= t <= end_s else outside


def cluster(share: Values, *, ages: Values = FRESH, failed: Values = NONE, ready: Values = READY,
            restarts: Values = NONE) -> World:  # fmt: skip
    """All targets' share of failed scrapes, each job's youngest sample, and the pod's own state."""
    made = World()
    made.computed["count(up == 0)"] = [({}, share)]
    made.computed["timestamp(up)"] = [({"job": "pods"}, ages), ({"job": "nodes"}, ages)]
    made.computed["avg by (job)"] = [({"job": "pods"}, failed), ({"job": "nodes"}, steady(0.0))]
    made.computed["up{"] = [({"job": "pods", "instance": "10.0.0.1:80"}, steady(1.0))]
    return made.add(f"{STATUS}ready", ready).add(f"{STATUS}restarts_total", restarts)


def gap(world: World, began_s: float | None = None) -> Finding:
    about = scope()
    if began_s is not None:
        began = NOON + timedelta(seconds=began_s)
        about = replace(about, fault=FaultTime(began, None, Text("as the server keeps it"), "ALERTS_FOR_STATE", "main"))
    return findings("witnesses", world, about)["scrape-gap"]


ALL = within(-40, 20, 1.0, None)


def test_failed_scrapes_of_everything_are_a_gap_when_the_pods_worked_on() -> None:
    found = gap(cluster(ALL))
    assert found.seen and "worked on" in found.sentence.en


@pytest.mark.parametrize(
    "world",
    [
        cluster(ALL, ready=within(-40, 20, 0.0, 1.0)),
        cluster(ALL, restarts=lambda t: 1.0 if t > 0 else 0.0),
        cluster(ALL, ready=lambda t: 0.0 if t > -40 else 1.0),
    ],
    ids=["not ready meanwhile", "restarted", "never came back"],
)
def test_an_outage_of_all_targets_is_no_gap(world: World) -> None:
    assert gap(world).seen is False


def test_failed_scrapes_that_go_on_until_the_look_are_unknown() -> None:
    assert gap(cluster(within(-40, 400, 1.0, None))).seen is None


def test_a_gap_that_was_over_before_the_condition_held_explains_nothing() -> None:
    assert gap(cluster(within(-800, -700, 1.0, None))).seen is False
    assert gap(cluster(ALL), began_s=-600).seen is False
    assert gap(cluster(within(-630, -580, 1.0, None)), began_s=-600).seen


def test_a_paused_server_is_a_gap_without_a_word_of_the_targets() -> None:
    found = gap(cluster(steady(0.0), ages=within(-60, 0, 150.0, 5.0)))
    assert found.seen and "paused" in found.sentence.en


def test_one_job_whose_samples_are_old_is_no_pause_of_the_server() -> None:
    world = cluster(steady(0.0))
    world.computed["timestamp(up)"] = [({"job": "pods"}, within(-60, 0, 150.0, 5.0)), ({"job": "nodes"}, steady(5.0))]
    assert gap(world).seen is False


def test_a_cut_path_to_one_job_is_a_gap_when_its_targets_worked_on() -> None:
    cut = within(-45, 0, 1.0)
    assert gap(cluster(steady(0.0), failed=cut)).seen
    assert gap(cluster(steady(0.0), failed=cut, ready=within(-45, 0, 0.0, 1.0))).seen is False


def test_half_of_a_jobs_targets_down_is_no_cut_path() -> None:
    assert gap(cluster(steady(0.0), failed=within(-45, 0, 0.5))).seen is False


def test_without_the_pods_own_state_a_cut_path_is_unknown() -> None:
    world = cluster(ALL)
    world.series.clear()
    assert gap(world).seen is None
