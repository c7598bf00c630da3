"""The naive rules' known mistakes, told right on answers recorded from real programs."""

from pathlib import Path

import httpx
import pytest

from config.replaying import replayed
from domain.connections import Access
from domain.findings import Finding
from evidence.bundles import Bundle
from evidence.collect import collect
from evidence.recording import Answer, ReplayTransports

BUNDLES = sorted(p.parent for p in Path("bundles").glob("*/bundle.json"))


def found(name: str) -> dict[str, Finding]:
    return {f.measure: f for f in replayed(Bundle.load(Path("bundles") / name)).collected.findings}


def test_steady_latency_is_no_leader_switch_and_no_jitter() -> None:
    steady = found("etcd-steady-latency")
    assert steady["etcd-leader-switch"].seen is False and steady["etcd-rtt-rise"].seen is False


def test_a_followers_restart_is_not_called_a_leader_switch() -> None:
    restart = found("etcd-follower-restart")
    assert restart["etcd-leader-switch"].seen is False and restart["etcd-member-restarted"].seen is True


def test_a_frozen_leader_is_not_called_network_jitter() -> None:
    frozen = found("etcd-switch-frozen-leader")
    assert frozen["etcd-old-leader-silent"].seen is True and frozen["etcd-rtt-cross-zone"].seen is not True


def test_a_slow_disk_stands_out_by_its_mean_while_round_trips_stay_low() -> None:
    disk = found("etcd-switch-slow-disk")
    assert disk["etcd-fsync-one-slow"].seen is True and disk["etcd-rtt-cross-zone"].seen is not True


def test_a_handed_over_leadership_leaves_no_time_without_a_leader() -> None:
    moved = found("etcd-move-leader")
    assert moved["etcd-leader-switch"].seen is True and moved["etcd-no-leader-seen"].seen is False


def test_a_full_accept_queue_is_a_transport_timeout_with_a_second_witness() -> None:
    queue = found("probe-accept-queue-full")
    assert queue["probe-transport-timeout"].seen is True and queue["listen-overflows"].seen is True
    assert queue["probe-app-silent"].seen is False


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.name)
def test_the_first_cause_is_the_recorded_truth_or_honestly_none(path: Path) -> None:
    bundle = Bundle.load(path)
    verdict = replayed(bundle).verdict
    assert bundle.truth is not None
    assert verdict.state != "ranked" or verdict.causes[0].cause == bundle.truth.cause


class Counting:
    """A replay that counts different questions, also those without an answer."""

    def __init__(self, bundle: Bundle) -> None:
        self._replay, self.asked = ReplayTransports(bundle.answers), set[tuple[str, ...]]()

    def client(self, connection: str, base_url: str, access: Access) -> httpx.Client:
        """The replaying client, with a listener in front."""
        inner = self._replay.client(connection, base_url, access)

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.add((connection, request.method, str(request.url), request.content.decode()))
            return inner.send(request)

        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(handle))

    def answers(self) -> tuple[Answer, ...]:
        """Those that were asked for."""
        return self._replay.answers()


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.name)
def test_an_investigation_of_a_recorded_incident_asks_at_most_forty_questions(path: Path) -> None:
    bundle = Bundle.load(path)
    scope = replayed(bundle).scope
    counting = Counting(bundle)
    collect(scope, counting, budget_s=60)
    assert 5 < len(counting.asked) <= 40
