"""Each measure of the etcd checks on made series: seen, not seen, unknown; and what must not fool it."""

import pytest

from domain.entities import EntityKind, EntityRef
from domain.findings import Finding, Point
from evidence.checks.etcd_peer_rtt import certainty
from evidence.clients.prometheus import Answered, Line
from evidence.etcd_pairs import edges, tails
from tests.evidence.made_series import (
    MEMBER,
    NAMES,
    NOON,
    Made,
    asked,
    away,
    buckets,
    calm,
    counted,
    etcd_decl,
    gauge,
    round_trips,
    scope,
    step,
)

FSYNC = "etcd_disk_wal_fsync_duration_seconds"
SWITCHED = {name: step(0, 1, 2) for name in NAMES}


def rtt(series: list[Made], **where: object) -> dict[str, Finding]:
    return asked("etcd-peer-rtt", series, scope([etcd_decl(**where)], [MEMBER]))  # type: ignore[arg-type]


def flat(level: float = 0.004) -> list[Made]:
    return round_trips(lambda start, end: lambda s: level)


def towards(name: str, at_s: int = -90, high: float = 0.4) -> list[Made]:
    return round_trips(lambda start, end: step(at_s, 0.004, high if name in {start, end} else 0.004))


def everywhere(at_s: int = -90, high: float = 0.4) -> list[Made]:
    return round_trips(lambda start, end: step(at_s, 0.004, high))


# --- round trips ---------------------------------------------------------------------------------------------------


def test_flat_round_trips_are_no_rise_and_come_as_a_matrix_with_zones() -> None:
    found = rtt(calm() + flat())
    assert found["etcd-rtt-rise"].seen is False
    assert len(found["etcd-rtt-rise"].items) == 6
    assert any("za → zb" in item.note for item in found["etcd-rtt-rise"].items)


def test_a_rise_of_all_pairs_between_zones_is_the_path_between_the_zones() -> None:
    found = rtt(calm(changes=SWITCHED) + everywhere())
    assert found["etcd-rtt-rise"].seen and found["etcd-rtt-cross-zone"].seen
    assert found["etcd-rtt-one-member"].seen is False
    assert found["etcd-rtt-before-switch"].seen is True


def test_a_rise_only_towards_one_member_of_a_shared_zone_is_that_member() -> None:
    found = rtt(calm() + towards("etcd3"), zones=("za", "zb", "zb"))
    assert found["etcd-rtt-one-member"].seen and found["etcd-rtt-one-member"].subject == "etcd3"
    assert found["etcd-rtt-cross-zone"].seen is False


def test_a_rise_towards_the_only_member_of_a_zone_may_be_the_path_and_is_reported_so() -> None:
    found = rtt(calm() + towards("etcd3"))
    assert found["etcd-rtt-one-member"].subject == "etcd3"
    assert found["etcd-rtt-cross-zone"].seen is None and "only member" in str(found["etcd-rtt-cross-zone"].why_unknown)


def test_a_frozen_leader_is_not_the_path_even_when_it_is_alone_in_its_zone() -> None:
    found = rtt(calm(up={"etcd3": away(-60, -45)}, changes=SWITCHED) + towards("etcd3", -40))
    assert found["etcd-rtt-one-member"].subject == "etcd3"
    assert found["etcd-rtt-cross-zone"].seen is False


def test_without_declared_zones_it_is_unknown_whether_zones_matter() -> None:
    assert rtt(calm() + everywhere(), zones=("", "", ""))["etcd-rtt-cross-zone"].seen is None


def test_pairs_of_a_dead_peer_are_discounted() -> None:
    found = rtt(calm(up={"etcd3": away(-60)}) + towards("etcd3"))
    assert found["etcd-rtt-rise"].seen is False
    assert [i.name for i in found["etcd-rtt-rise"].items if i.note == "✕"] == ["etcd3"]


def test_samples_taken_while_the_peer_was_silent_are_thrown_away() -> None:
    stale = round_trips(lambda start, end: lambda s: 0.4 if end == "etcd3" and -60 < s <= -30 else 0.004)
    found = rtt(calm(up={"etcd3": away(-75, -25)}) + stale)
    assert found["etcd-rtt-rise"].seen is False
    assert any("∅" in item.note for item in found["etcd-rtt-rise"].items)


def test_a_rise_that_began_long_before_a_late_alert_still_came_before_the_switch() -> None:
    found = rtt(calm(changes={n: step(-500, 1, 2) for n in NAMES}) + everywhere(-600))
    assert found["etcd-rtt-rise"].seen and found["etcd-rtt-before-switch"].seen
    assert [item.name for item in found["etcd-rtt-before-switch"].items] == ["RTT ↑", "leader_changes +1"]


@pytest.mark.parametrize(("rise_s", "seen"), [(-60, True), (15, None), (60, False)])
def test_the_order_of_rise_and_switch(rise_s: int, seen: bool | None) -> None:
    found = rtt(calm(changes=SWITCHED) + everywhere(rise_s))["etcd-rtt-before-switch"]
    assert found.seen is seen
    assert (found.first_seen_at is not None) is (seen is not None)


def test_a_leader_that_was_lost_before_the_counter_moved_is_part_of_the_order() -> None:
    lost = {n: (lambda s: 0.0 if -20 <= s < 0 else 1.0) for n in NAMES}
    found = rtt(calm(changes=SWITCHED, led=lost) + everywhere(-60))["etcd-rtt-before-switch"]
    assert [i.name for i in found.items] == ["RTT ↑", "has_leader = 0", "leader_changes +1"]
    assert [i.value for i in found.items] == [-60, -20, 0]


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        (calm() + flat(0.34), True),
        (calm() + flat(0.004), False),
        (calm(changes=SWITCHED) + flat(0.34), False),
        (calm() + everywhere(), False),
    ],
    ids=["always slow", "always quick", "slow, and the leader switched", "risen"],
)
def test_steady_high_is_neither_a_rise_nor_a_switch(series: list[Made], seen: bool) -> None:
    assert rtt(series)["etcd-rtt-steady-high"].seen is seen


def newly_scraped(series: list[Made], since_s: int) -> list[Made]:
    """The members have run for long, the monitoring only since then."""
    return [Made(m.metric, m.member, lambda s, m=m: m.value(s) if s >= since_s else None, m.labels) for m in series]  # type: ignore[misc]


def test_the_counters_remember_the_usual_level_of_the_time_before_the_first_scrape() -> None:
    steady = rtt(newly_scraped(calm() + flat(0.34), 20))
    assert steady["etcd-rtt-steady-high"].seen is True and steady["etcd-rtt-rise"].seen is False
    risen = rtt(newly_scraped(calm() + everywhere(20), 20))
    assert risen["etcd-rtt-rise"].seen is True and risen["etcd-rtt-steady-high"].seen is False


def test_a_level_that_nobody_knows_for_long_is_not_called_usual() -> None:
    young = [m for m in round_trips(lambda a, b: lambda s: 0.34) if m.metric.endswith("_sum")]
    counts = {
        f"{m.member}{m.labels}": m for m in round_trips(lambda a, b: lambda s: 0.34) if m.metric.endswith("_count")
    }
    first = counts[f"{young[0].member}{young[0].labels}"].value(60) or 0
    fresh = [Made(m.metric, m.member, lambda s, m=m: (m.value(s) or 0) - first * 0.34, m.labels) for m in young]  # type: ignore[misc]
    fresh += [Made(m.metric, m.member, lambda s, m=m: (m.value(s) or 0) - first, m.labels) for m in counts.values()]  # type: ignore[misc]
    assert rtt(newly_scraped(calm() + fresh, 60))["etcd-rtt-steady-high"].seen is None


def test_the_limits_follow_the_election_timeout() -> None:
    slow = rtt(calm() + flat(0.34), election_timeout_ms=5000)
    assert slow["etcd-rtt-steady-high"].seen is False and slow["etcd-rtt-steady-high"].limit == 0.5
    assert rtt(calm() + flat())["etcd-rtt-over-limit"].limit == 0.15
    assert edges(0.75) == (0.4096, 0.8192)


@pytest.mark.parametrize(
    ("under_102", "under_205", "seen"),
    [(0.0, 20.3, None), (20.3, 20.3, False), (0.0, 10.0, True), (20.0, 20.3, None)],
    ids=["steady 110 ms, read as 203.8", "all low", "half above the bucket", "a few within the bucket"],
)
def test_p99_is_over_or_under_only_when_the_whole_bucket_is(
    under_102: float, under_205: float, seen: bool | None
) -> None:
    labels = {"instance": "i1", "To": "a"}
    counts = {"0.1024": under_102, "0.2048": under_205, "+Inf": 20.3}
    lines = tuple(Line(labels | {"le": le}, (Point(1000, count),)) for le, count in counts.items())
    result = certainty(tails(Answered(lines), 0.1024, 0.2048), (0.1024, 0.2048, 0.15), None)
    assert result.seen is seen and bool(result.why_unknown) is (seen is None)


def test_each_pair_shows_its_mean_its_p99_and_the_bucket_around_the_limit() -> None:
    slow = buckets({"instance": "etcd1:2379", "To": "a2"}, {"0.1024": 0, "0.2048": 20, "+Inf": 20})
    quick = buckets({"instance": "etcd1:2379", "To": "a3"}, {"0.1024": 20, "0.2048": 20, "+Inf": 20})
    p99: list[dict[str, object]] = [
        {"metric": {"instance": "etcd1:2379", "To": "a2"}, "values": [(NOON.timestamp() + 100, "0.2038")]}
    ]
    steady = round_trips(lambda start, end: lambda s: 0.11 if end == "etcd2" else 0.004)
    found = asked("etcd-peer-rtt", calm() + steady, None, {"increase": slow + quick, "histogram_quantile": p99})
    over = found["etcd-rtt-over-limit"]
    assert over.seen is None and "increase" in over.query
    rows = {item.name: item for item in over.items}
    assert rows["etcd1 → etcd2"].exceeds is None and rows["etcd1 → etcd3"].exceeds is False
    assert rows["etcd1 → etcd2"].note == "P99 102.4–204.8 ms (203.8) ≷ 150 ms"
    assert rows["etcd1 → etcd2"].value == pytest.approx(0.11)


def test_a_rise_too_new_for_the_quantile_is_not_called_certainly_under() -> None:
    quick = buckets({"instance": "etcd1:2379", "To": "a3"}, {"0.1024": 20, "0.2048": 20, "+Inf": 20})
    for high, seen in ((0.4, True), (0.15, None), (0.004, False)):
        found = asked("etcd-peer-rtt", calm() + towards("etcd3", 90, high), None, {"increase": quick})
        assert found["etcd-rtt-over-limit"].seen is seen


def test_p99_of_a_pair_whose_peer_is_dead_does_not_count() -> None:
    dead = buckets({"instance": "etcd1:2379", "To": "a3"}, {"0.1024": 0, "0.2048": 0, "+Inf": 20})
    found = asked("etcd-peer-rtt", calm(up={"etcd3": away(-60)}) + flat(), None, {"increase": dead})
    assert found["etcd-rtt-over-limit"].seen is None and found["etcd-rtt-over-limit"].items == ()


# --- leader --------------------------------------------------------------------------------------------------------


def test_a_switch_is_what_every_member_that_kept_running_counted() -> None:
    found = asked("etcd-leader", calm(changes=SWITCHED))
    assert found["etcd-leader-switch"].seen and found["etcd-member-restarted"].seen is False


def test_a_followers_restart_is_not_a_switch_though_its_counter_moves() -> None:
    again = {"etcd2": lambda s: 2.0 if s < 0 else (1.0 if s < 20 else 3.0)}
    found = asked("etcd-leader", calm(changes=again, born={"etcd2": step(0, 1000, 5000)}))
    assert found["etcd-leader-switch"].seen is False and found["etcd-member-restarted"].subject == "etcd2"


def test_a_moved_leader_is_a_switch_without_a_leaderless_time_or_a_silent_member() -> None:
    found = asked("etcd-leader", calm(changes=SWITCHED))
    assert found["etcd-leader-switch"].seen is True
    assert found["etcd-no-leader-seen"].seen is False and found["etcd-old-leader-silent"].seen is False


def test_a_frozen_leader_fell_silent_and_came_back_as_the_same_process() -> None:
    found = asked("etcd-leader", calm(up={"etcd1": away(-15, 0)}, changes=SWITCHED))
    assert found["etcd-old-leader-silent"].seen and found["etcd-old-leader-silent"].subject == "etcd1"
    assert found["etcd-member-scrape-gap"].value == 15


def test_without_counters_a_switch_is_unknown() -> None:
    assert asked("etcd-leader", [gauge("up", "etcd1", 1.0)])["etcd-leader-switch"].seen is None
    nothing = asked("etcd-leader", [])["etcd-leader-switch"]
    assert nothing.seen is None and nothing.why_unknown


def test_of_a_cluster_that_was_never_scraped_leader_and_restarts_are_unknown() -> None:
    found = asked("etcd-leader", [gauge("up", name, 0.0) for name in NAMES])
    for measure in ("etcd-no-leader-seen", "etcd-member-restarted", "etcd-member-down"):
        assert found[measure].seen is None and found[measure].why_unknown


def test_a_member_of_which_no_scrape_came_in_is_not_called_well_nor_gone() -> None:
    away_always = calm(up={"etcd3": away(-10_000)})
    result = asked("etcd-leader", away_always)["etcd-member-down"]
    assert result.seen is None and "etcd3 was not scraped" in str(result.why_unknown)
    without = [made for made in calm() if made.metric != "up"]
    assert asked("etcd-leader", without)["etcd-member-scrape-gap"].seen is None


def test_a_member_that_stays_away_is_down() -> None:
    assert asked("etcd-leader", calm(up={"etcd3": away(0)}))["etcd-member-down"].subject == "etcd3"
    assert asked("etcd-leader", calm())["etcd-member-down"].seen is False


# --- disk ----------------------------------------------------------------------------------------------------------


def disks(**means: float) -> list[Made]:
    return [m for name in NAMES for m in counted(FSYNC, name, 2.0, means.get(name, 0.0006))]


def fsync_buckets(name: str, quick: float, slow: float) -> list[dict[str, object]]:
    counts = {"0.001": quick, "0.008": quick, "0.016": quick, "0.512": quick + slow, "+Inf": quick + slow}
    return buckets({"instance": f"{name}:2379"}, counts)


@pytest.mark.parametrize(
    ("slow", "seen"),
    [(300.0, True), (1.0, False)],
    ids=["most writes are slow", "one write of a frozen process"],
)
def test_one_slow_disk_is_many_slow_writes_and_not_one_long_one(slow: float, seen: bool) -> None:
    result = [*fsync_buckets("etcd1", 240, slow), *fsync_buckets("etcd2", 540, 0), *fsync_buckets("etcd3", 540, 0)]
    found = asked("etcd-disk", calm() + disks(etcd1=0.3), None, {f"increase({FSYNC}": result})["etcd-fsync-one-slow"]
    assert found.seen is seen
    assert "P50 ≤" in found.items[0].note


def test_even_disks_do_not_stand_out_and_a_lone_member_cannot_be_compared() -> None:
    assert asked("etcd-disk", calm() + disks())["etcd-fsync-one-slow"].seen is False
    alone = asked("etcd-disk", counted(FSYNC, "etcd1", 2.0, 0.5))
    assert alone["etcd-fsync-one-slow"].seen is None and alone["etcd-fsync-over-guidance"].seen is True


def test_late_heartbeats_and_slow_applies_are_counted_per_member() -> None:
    late = gauge("etcd_server_heartbeat_send_failures_total", "etcd1", lambda s: float(max(0, s)))
    few = gauge("etcd_server_slow_apply_total", "etcd2", 5.0)
    found = asked("etcd-disk", [late, few])
    assert found["etcd-heartbeat-failures"].subject == "etcd1" and found["etcd-slow-applies"].seen is False
    assert asked("etcd-disk", disks())["etcd-slow-applies"].seen is None


# --- peers and space -----------------------------------------------------------------------------------------------

LOST, ACTIVE = "etcd_network_disconnected_peers_total", "etcd_network_active_peers"


def links() -> list[Made]:
    ids = {"etcd1": "a1", "etcd2": "a2", "etcd3": "a3"}
    return [gauge(ACTIVE, a, 1.0, Local=ids[a], Remote=ids[b]) for a in NAMES for b in NAMES if a != b]


def lost(end: str, at_s: int = -30, start: str = "etcd1") -> Made:
    """The counter comes into being with its first count."""
    return gauge(LOST, start, lambda s: 1.0 if s >= at_s else None, Local="a1", Remote=end)


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        ([*calm(), *links()], False),
        ([*calm(), *links(), lost("a2")], True),
        ([*calm(), *links(), lost("a2", -1800)], False),
        ([*calm(up={"etcd2": away(-30)}), *links(), lost("a2")], False),
        ([*calm(born={"etcd2": step(-30, 1000, 1772366370)}), *links(), lost("a2")], False),
        ([*calm(up={"etcd2": away(-1500, -1400)}), *links(), lost("a2")], True),
        ([*calm(), *links(), gauge("etcd_network_peer_sent_failures_total", "etcd1", lambda s: max(0.0, s), To="a2")], True),
        ([*calm(), gauge(ACTIVE, "etcd1", step(0, 1, 0), Local="a1", Remote="a2")], True),
    ],
    ids=["kept", "lost", "lost long ago", "peer is down", "peer restarted", "peer was away long ago",
         "messages lost", "inactive"],
)  # fmt: skip
def test_a_lost_connection_counts_when_both_ends_were_alive(series: list[Made], seen: bool) -> None:
    assert asked("etcd-peers", series)["etcd-peer-disconnected"].seen is seen


def test_without_connection_series_it_is_unknown_whether_peers_lost_each_other() -> None:
    assert asked("etcd-peers", calm())["etcd-peer-disconnected"].seen is None


def space(size: float, metric: str = "etcd_mvcc_db_total_size_in_bytes") -> list[Made]:
    return [gauge(metric, "etcd1", size), gauge("etcd_server_quota_backend_bytes", "etcd1", 2.0**31)]


@pytest.mark.parametrize(
    ("series", "seen"),
    [
        (space(2.0**20), False),
        (space(0.97 * 2**31), True),
        (space(0.97 * 2**31, "etcd_debugging_mvcc_db_total_size_in_bytes"), True),
        (space(2.0**20)[:1], None),
        ([*space(2.0**20)[:1], gauge("etcd_server_quota_backend_bytes", "etcd1", 0.0)], None),
    ],
    ids=["small", "full", "full, before 3.4", "quota not told", "no quota"],
)
def test_the_database_against_its_quota(series: list[Made], seen: bool | None) -> None:
    found = asked("etcd-space", series)["etcd-disk-space-low"]
    assert found.seen is seen and (found.subject == "etcd1") is (seen is True)


# --- which cluster -------------------------------------------------------------------------------------------------

TWO = [etcd_decl(), etcd_decl("events", "prod-a", members=("ev1", "ev2", "ev3"))]
FAR = etcd_decl("far", "prod-b", members=("fr1", "fr2", "fr3"))


@pytest.mark.parametrize(
    ("entity", "labels", "name"),
    [
        (EntityRef(EntityKind.ETCD_MEMBER, "ev2", "prod-a"), {}, "events"),
        (EntityRef(EntityKind.ETCD_CLUSTER, "etcd", "prod-a"), {}, "etcd"),
        (EntityRef(EntityKind.HOST, "db-2", "prod-b"), {}, "far"),
        (EntityRef(EntityKind.POD, "api-0", "prod-b"), {}, "far"),
        (None, {"cluster": "prod-b"}, "far"),
        (None, {"job": "events"}, "events"),
    ],
    ids=["member", "cluster by name", "host and cluster", "a pod's cluster", "cluster label", "its series' labels"],
)
def test_the_declared_cluster_is_chosen_by_entity_label_or_source(
    entity: EntityRef | None, labels: dict[str, str], name: str
) -> None:
    where = scope([*TWO, FAR], [entity] if entity else [], labels=labels)
    found = asked("etcd-leader", calm(), where)
    assert f'job="{name}"' in found["etcd-leader-switch"].query


def test_an_incident_that_fits_several_clusters_asks_for_a_label_and_chooses_none() -> None:
    found = asked("etcd-leader", calm(), scope(TWO))["etcd-leader-switch"]
    assert found.seen is None and "several etcd clusters (etcd, events)" in str(found.why_unknown)


def test_an_incident_on_a_host_that_carries_a_member_is_about_its_etcd() -> None:
    host = EntityRef(EntityKind.HOST, "db-1", "prod-a")
    found = asked("etcd-leader", calm(), scope([etcd_decl()], [host], title="disk is slow"))
    assert found["etcd-leader-switch"].seen is False


def test_a_contradicting_cluster_label_excludes_even_the_only_declared_etcd() -> None:
    found = asked("etcd-leader", calm(), scope([etcd_decl()], labels={"cluster": "prod-z"}))
    assert found["etcd-leader-switch"].seen is None
